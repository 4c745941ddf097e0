/** Ids and times that Callmend makes up are other ones each time: for comparing, they become the same. */

/** `given`: texts that they cannot come from, since they stand there already. */
export function withoutMadeUp(text: string, ...given: readonly string[]): string {
  const isGiven = (part: string) => given.some((each) => each.includes(part));
  const ids = new Map<string, string>();
  return text
    .replace(/call_[A-Za-z0-9]{24}/g, (id) => {
      if (isGiven(id)) return id;
      if (!ids.has(id)) ids.set(id, `call_${ids.size + 1}`);
      return ids.get(id)!;
    })
    .replace(/"created":(\d+)/g, (all, at) => isGiven(at) ? all : '"created":0')
    .replace(/chatcmpl-[0-9a-f]{32}/g, (id) => isGiven(id) ? id : "chatcmpl-made-up");
}
