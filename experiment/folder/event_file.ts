/**
 * Event files as TensorBoard reads them: a sequence of records, each an `Event` of TensorFlow's protocol
 * buffers. Field numbers are those of `event.proto`, `summary.proto`, `tensor.proto` and `types.proto` in
 * `tensorboard/compat/proto`; a record is framed as `tensorflow/core/lib/io/record_writer.h` has it: length
 * (u64), checksum of the length, data, checksum of the data, all little-endian.
 * @module
 */
// @ts-types="npm:crc-32@1.2.2"
import crc32c from "npm:crc-32@1.2.2/crc32c.js";
import { PbfWriter } from "npm:pbf@5.1.2";

/** A value of one step, under the name that TensorBoard shows: a finite number, or text in Markdown. */
export type LogValue =
  & { readonly tag: string }
  & (
    | { readonly number: number }
    | { readonly text: string }
  );

/** What happened at one time. */
export interface LogEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly values: readonly LogValue[];
}

const FILE_VERSION = "brain.Event:2";
/** Of `SessionLog`: what was logged of this step and later ones, in files before this one, is void. */
const START = 1;
const DT_STRING = 7;
const DATA_CLASS_TENSOR = 2;

/** The first records of a file that holds a run from step 0 on, whatever files there were before it. */
export const openingRecords = (time: number): Uint8Array[] => [
  recordOf((event) => {
    event.writeDoubleField(1, time);
    event.writeStringField(3, FILE_VERSION);
    event.writeMessage(10, (writer, it) => it.writeStringField(1, writer), "plainrl");
  }),
  recordOf((event) => {
    event.writeDoubleField(1, time);
    event.writeVarintField(2, 0);
    event.writeMessage(7, (status, it) => it.writeVarintField(1, status), START);
  }),
];

/** One record with all values. Numbers become 32-bit floats. */
export const valuesRecord = ({ time, step, values }: LogEvent): Uint8Array =>
  recordOf((event) => {
    event.writeDoubleField(1, time);
    event.writeVarintField(2, step);
    event.writeMessage(5, (values, summary) => {
      for (const value of values) summary.writeMessage(1, writeValue, value);
    }, values);
  });

function writeValue(value: LogValue, to: PbfWriter): void {
  to.writeStringField(1, value.tag);
  if ("number" in value) return to.writeFloatField(2, value.number);
  to.writeMessage(8, (text, tensor) => {
    tensor.writeVarintField(1, DT_STRING);
    tensor.writeMessage(2, () => {}, undefined); // its shape: a scalar
    tensor.writeStringField(8, text);
  }, value.text);
  to.writeMessage(9, (plugin, metadata) => {
    metadata.writeMessage(1, (name, data) => data.writeStringField(1, name), plugin);
    metadata.writeVarintField(4, DATA_CLASS_TENSOR);
  }, "text");
}

function recordOf(write: (event: PbfWriter) => void): Uint8Array {
  const event = new PbfWriter();
  write(event);
  return framed(event.finish());
}

function framed(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16), view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedChecksum(data), true);
  return record;
}

/**
 * CRC-32C, rotated and shifted: data that hold checksums of their own would else have unlucky ones
 * (`tensorflow/core/lib/hash/crc32c.h`).
 */
function maskedChecksum(bytes: Uint8Array): number {
  const crc = crc32c.buf(bytes) >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
