import { startCallmend } from "./callmend.ts";
import { sendRaw } from "./raw.ts";
import { httpUpstream } from "../_servers.ts";
let down = 0;
await using up = await httpUpstream((request, response) => {
  request.resume();
  response.socket?.end(
    `HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\nx: ${"y".repeat(down)}\r\n\r\n{}`,
  );
});
for (const w of ["bun", "deno"]) {
  await using c = startCallmend(w, ["serve", "--port", "0", "--upstream", `http://127.0.0.1:${up.port}/v1`]);
  const port = await c.port();
  const row: string[] = [];
  for (const kb of [8, 12, 15, 17, 24, 31, 33, 48, 63, 66, 100, 200]) {
    const r = await sendRaw(
      port,
      `GET /v1/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: ${"y".repeat(kb * 1024)}\r\n\r\n`,
      4000,
    );
    row.push(`${kb}:${r.status}`);
  }
  row.push("down");
  for (const kb of [8, 15, 17, 24, 31, 33, 63, 66, 100, 200, 400]) {
    down = kb * 1024;
    const r = await sendRaw(port, `GET /v1/x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`, 4000);
    row.push(`${kb}:${r.status}`);
  }
  down = 0;
  console.log(w, row.join(" "));
}
