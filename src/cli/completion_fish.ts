/** The completion script for fish. */
import type { Place, Value } from "./completion_model.ts";

/** Writes the script: a function that finds out where the cursor is, and a line for each word that may stand there. */
export function fishScript(places: readonly Place[]): string {
  const word = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const paths = places.filter(({ path }) => path !== "").map(({ path }) => path);
  const steps = paths.map((path) => word(path.includes(" ") ? path : ` ${path}`));
  const valued = places.flatMap(({ path, flags }) =>
    flags.filter(({ value }) => value).flatMap(({ names }) => names.map((name) => word(`${path} ${name}`)))
  );
  const behind = places.filter((place) => place.behind !== undefined)
    .map(({ path, behind }) =>
      `            case ${word(`${path} --`)}\n                set place ${
        word(behind!)
      }\n                set at 0\n`
    );
  const lines = places.flatMap(({ path, commands, flags, operands }) => {
    const values: readonly Value[] = commands.length > 0 ? [{ kind: "words", words: commands }] : operands;
    const placed = values.flatMap((value, at) => {
      const when = `complete -c callmend -n ${word(`__callmend_at "${path}" ${at}`)}`;
      if (value.kind === "files") return [`${when} -F`];
      if (value.kind === "any") return [];
      return value.words.map(({ name, means }) =>
        `${when} -a ${word(name)}${means === "" ? "" : ` -d ${word(means)}`}`
      );
    });
    const flagged = flags.map(({ names, means, value }) => {
      const named = names.map((name) =>
        name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
      );
      const takes = value === undefined
        ? []
        : value.kind === "files"
        ? ["-r -F"]
        : value.kind === "any"
        ? ["-x"]
        : ["-x", `-a ${word(value.words.map(({ name }) => name).join(" "))}`];
      return [
        `complete -c callmend -n ${word(`__callmend_at "${path}"`)}`,
        ...named,
        ...takes,
        "-d",
        word(means),
      ]
        .join(" ");
    });
    // Behind `--` fish itself takes no word for a flag any more.
    const dashed = places.some(({ behind }) => behind === path)
      ? [
        `complete -c callmend -n ${
          word(`contains -- -- (commandline -opc); and __callmend_at "${path}"`)
        } -a ${word(flags.flatMap(({ names }) => names).join(" "))}`,
      ]
      : [];
    return [...placed, ...flagged, ...dashed];
  });
  return `function __callmend_at --description 'whether the cursor is at a command, and at its nth operand'
    set -l place ''
    set -l at 0
    set -l skip no
    for each in (commandline -opc)[2..]
        if test $skip = yes
            set skip no
            continue
        end
        switch "$place $each"
            case ${valued.join(" ")}
                set skip yes
${behind.join("")}            case ${steps.join(" ")}
                set place (string trim -- "$place $each")
                set at 0
            case '* -*'
            case '*'
                set at (math $at + 1)
        end
    end
    test "$place" = "$argv[1]"; and begin
        test (count $argv) -eq 1; or test $at = "$argv[2]"
    end
end
complete -c callmend -f
${lines.join("\n")}
`;
}
