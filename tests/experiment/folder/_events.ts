/**
 * Reads event files back, and shares nothing with what writes them: checksums bit by bit, protocol buffers
 * field by field.
 * @module
 */
import assert from "node:assert/strict";
import { listFolder } from "../../../experiment/folder/files.ts";

/** A record, its values by their tags. */
export interface ReadEvent {
  time: number;
  step: number;
  version?: string;
  /** Of a session: 1 is its start. */
  status?: number;
  values: Record<string, number | string>;
}

/** CRC-32C as RFC 3720 has it: the polynomial 0x1edc6f41, reflected, bit by bit. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return ~crc >>> 0;
}

/** Turned back what a record's checksum was masked with. */
function unmasked(checksum: number): number {
  const turned = (checksum - 0xa282ead8) >>> 0;
  return ((turned >>> 17) | (turned << 15)) >>> 0;
}

/** All whole records, and how many bytes of a cut one are left. @throws where a checksum is wrong */
export function readEvents(bytes: Uint8Array): { events: ReadEvent[]; rest: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length), events: ReadEvent[] = [];
  let at = 0;
  while (at + 12 <= bytes.length) {
    const length = Number(view.getBigUint64(at, true));
    const lengthSum = unmasked(view.getUint32(at + 8, true));
    assert.equal(lengthSum, crc32c(bytes.subarray(at, at + 8)), `length at byte ${at}`);
    if (at + 16 + length > bytes.length) break;
    const data = bytes.subarray(at + 12, at + 12 + length);
    const sum = unmasked(view.getUint32(at + 12 + length, true));
    assert.equal(sum, crc32c(data), `data at byte ${at}`);
    events.push(eventOf(data));
    at += 16 + length;
  }
  return { events, rest: bytes.length - at };
}

/** The newest event file in a run's folder, whole, and its name; there is at most one more, which is empty. */
export async function eventsIn(folder: string): Promise<{ name: string; events: ReadEvent[] }> {
  const names = (await listFolder(folder)).filter((name) => name.includes("tfevents"));
  assert.ok(names.length === 1 || names.length === 2, `${names}`);
  if (names.length === 2) assert.equal((await Deno.stat(`${folder}/${names[0]}`)).size, 0);
  const name = names.at(-1)!;
  const { events, rest } = readEvents(await Deno.readFile(`${folder}/${name}`));
  assert.equal(rest, 0);
  return { name, events };
}

type Field = { number: number; value: number | Uint8Array };

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  const varint = () => {
    for (let value = 0, scale = 1;; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint(), number = key >> 3, kind = key & 7;
    if (kind === 0) yield { number, value: varint() };
    else if (kind === 1) yield { number, value: view.getFloat64((at += 8) - 8, true) };
    else if (kind === 5) yield { number, value: view.getFloat32((at += 4) - 4, true) };
    else {
      assert.equal(kind, 2, `field ${number} has the wire type ${kind}`);
      const length = varint();
      yield { number, value: bytes.subarray(at, at += length) };
    }
  }
  assert.equal(at, bytes.length, "a field is cut");
}

const textOf = (value: number | Uint8Array): string =>
  new TextDecoder("utf-8", { fatal: true }).decode(value as Uint8Array);

/** The value of one field on a path of messages; undefined where there is none. */
function at(bytes: Uint8Array, ...[number, ...path]: number[]): Field["value"] | undefined {
  const found = fieldsOf(bytes).find((field) => field.number === number)?.value;
  return path.length === 0 || found === undefined ? found : at(found as Uint8Array, ...path);
}

function eventOf(bytes: Uint8Array): ReadEvent {
  const event: ReadEvent = { time: NaN, step: 0, values: {} };
  for (const { number, value } of fieldsOf(bytes)) {
    if (number === 1) event.time = value as number;
    else if (number === 2) event.step = value as number;
    else if (number === 3) event.version = textOf(value);
    else if (number === 7) event.status = at(value as Uint8Array, 1) as number;
    else if (number === 10) assert.equal(textOf(at(value as Uint8Array, 1)!), "plainrl");
    else {
      assert.equal(number, 5, `an event has the field ${number}`);
      for (const { value: one } of fieldsOf(value as Uint8Array)) {
        const tag = textOf(at(one as Uint8Array, 1)!);
        assert.ok(!Object.hasOwn(event.values, tag), `${tag} comes twice`);
        event.values[tag] = valueOf(one as Uint8Array);
      }
    }
  }
  return event;
}

/** A scalar, or a text: a tensor of one string, for the plugin `text`. */
function valueOf(value: Uint8Array): number | string {
  const number = at(value, 2);
  if (number !== undefined) return number as number;
  assert.equal(at(value, 8, 1), 7, "DT_STRING");
  assert.equal((at(value, 8, 2) as Uint8Array).length, 0, "the shape of a scalar");
  assert.equal(textOf(at(value, 9, 1, 1)!), "text");
  assert.equal(at(value, 9, 4), 2, "DATA_CLASS_TENSOR");
  return textOf(at(value, 8, 8)!);
}
