/** Device memory with explicit lifetimes: freed storages are kept by size and handed out again. @module */
import type { Dtype, Storage, Tensor } from "../device.ts";
import type { MemoryUse } from "../memory.ts";

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** Raised when there is no memory left for a tensor, though one buffer could be as large. */
export class OutOfMemoryError extends Error {
  override name = "OutOfMemoryError";

  /** `bytes` could not be had for `label`; the program holds `held` bytes already. */
  constructor(
    readonly label: string,
    readonly bytes: number,
    readonly held: number,
    options?: ErrorOptions,
  ) {
    super(
      `Cannot allocate ${label} as the device has no ${mib(bytes)} left: ${mib(held)} are held ` +
        "already; use a smaller model, fewer rows per pass, or recompute activations",
      options,
    );
  }
}

/** Hands out storages of one device. Sizes are rounded up so that steps of like shape reuse them. */
export class Pool<S extends Storage> {
  #idle = new Map<number, S[]>();
  #live = new Set<S>();
  #held = 0;
  #peak = 0;

  constructor(
    readonly create: (bytes: number, label: string) => S,
    readonly destroy: (storage: S) => void,
    readonly maxBytes: number,
  ) {}

  /** Bytes in use, bytes held from the driver, and the peak of the latter. */
  get memory(): MemoryUse {
    let live = 0;
    for (const { bytes } of this.#live) live += bytes;
    return { live, held: this.#held, peak: this.#peak, programs: 0 };
  }

  /**
   * Takes a storage of at least `length` elements.
   * @throws {OutOfMemoryError} when there is none; a driver may also say so later
   */
  alloc(length: number, label: string, dtype: Dtype, bytesPerElement: number): Tensor {
    if (!Number.isSafeInteger(length) || length < 1) {
      throw new RangeError(
        `Cannot allocate ${label} as its length is not a positive integer: ${length}`,
      );
    }
    const bytes = Math.ceil(length * bytesPerElement / 256) * 256;
    if (bytes > this.maxBytes) {
      throw new RangeError(
        `Cannot allocate ${label} as one buffer holds ${this.maxBytes} bytes here: it needs ${bytes}`,
      );
    }
    const idle = this.#idle.get(bytes)?.pop();
    // A new object a loan: tensors of an earlier loan of the same memory stay freed for good.
    const storage = idle ? { ...idle, live: true } : this.#create(bytes, label);
    if (!idle) {
      this.#held += bytes;
      this.#peak = Math.max(this.#peak, this.#held);
    }
    this.#live.add(storage);
    return { label, dtype, offset: 0, length, storage };
  }

  #create(bytes: number, label: string): S {
    try {
      return this.create(bytes, label);
    } catch (cause) {
      throw new OutOfMemoryError(label, bytes, this.#held, { cause });
    }
  }

  /** Keeps the storage for the next `alloc` of its size. */
  free({ storage, label }: Tensor): void {
    if (!this.#live.delete(storage as S)) {
      throw new Error(`Cannot free ${label} as it is not in use: it was freed before`);
    }
    storage.live = false;
    const idle = this.#idle.get(storage.bytes);
    if (idle) idle.push(storage as S);
    else this.#idle.set(storage.bytes, [storage as S]);
  }

  /** Gives idle storages back to the driver. */
  trim(): void {
    for (const storages of this.#idle.values()) {
      for (const storage of storages) {
        this.destroy(storage);
        this.#held -= storage.bytes;
      }
    }
    this.#idle.clear();
  }

  /** Gives everything back, in use or not. */
  dispose(): void {
    this.trim();
    for (const storage of this.#live) {
      storage.live = false;
      this.destroy(storage);
      this.#held -= storage.bytes;
    }
    this.#live.clear();
  }

  /** Checks that `tensor` is live and holds elements [at, at + length). */
  checkRange(action: string, tensor: Tensor, at: number, length: number): void {
    if (!tensor.storage.live) {
      throw new Error(`Cannot ${action} ${tensor.label} as it must be live: it was freed`);
    }
    if (!Number.isSafeInteger(at) || at < 0 || at + length > tensor.length) {
      throw new RangeError(
        `Cannot ${action} ${tensor.label} as it has ${tensor.length} elements: ` +
          `[${at}, ${at + length}) was asked`,
      );
    }
  }
}
