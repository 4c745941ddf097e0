/** Decompresses answers of upstreams that compress although they were asked not to. */
import process from "node:process";
import type { Transform } from "node:stream";
import { sourceOf } from "./node_client.ts";
import type { Source } from "./transport.ts";

/** Loaded when an upstream compresses all the same, which hardly one does: it would take a third of the start. */
const zlib = () => process.getBuiltinModule("node:zlib");

const DECODERS: { readonly [encoding: string]: () => Transform } = {
  gzip: () => zlib().createGunzip(),
  "x-gzip": () => zlib().createGunzip(),
  deflate: () => zlib().createInflate(),
  br: () => zlib().createBrotliDecompress(),
  zstd: () => zlib().createZstdDecompress(),
};

/** Takes the encodings off a body and out of its headers; undefined when one of them is not known. */
export function decoded(body: Source, headers: Headers): Source | undefined {
  const named = (headers.get("content-encoding") ?? "").toLowerCase().split(",").map((name) => name.trim());
  const encodings = named.filter((name) => name !== "" && name !== "identity");
  const decoders = encodings.map((encoding) => DECODERS[encoding]);
  if (decoders.some((decoder) => decoder === undefined)) return undefined;
  if (decoders.length === 0) return body;
  headers.delete("content-encoding");
  headers.delete("content-length");
  return decoders.reduceRight((source, decoder) => through(source, decoder!()), body);
}

function through(source: Source, decoder: Transform): Source {
  const { Readable } = process.getBuiltinModule("node:stream");
  const encoded = new Readable({
    highWaterMark: 1,
    read() {
      source.read().then((bytes) => this.push(bytes ?? null), (error) => this.destroy(error));
    },
  });
  encoded.on("error", (error) => decoder.destroy(error));
  const plain = sourceOf(encoded.pipe(decoder));
  return {
    read: () => plain.read(),
    cancel() {
      plain.cancel();
      source.cancel();
    },
  };
}
