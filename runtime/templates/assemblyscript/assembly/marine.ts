// The AssemblyScript side of a Marine module: memory, results, and what the host offers.
// This file is part of this project: change it as you like.
//
// Arguments arrive as the host lays them out: numbers as they are, a text or an array as a pointer and a count, a record as a
// pointer to its packed fields. `take…` turns them into values and frees them, once. Results that are no numbers are given to
// `give…` and live until the host has copied them. Calling a function of another module with a text, an array or a record frees
// what was kept before: call first, give afterwards. These blocks are not of the garbage collector.

let results: usize = 0;
let resultPointer: usize = 0;
let resultSize: u32 = 0;

// In front of every block stands the next result, once it is one.
const HEAD: usize = 8;

/** Memory for the host to read. 0 for nothing. */
export function block(size: u32): usize {
  if (size == 0) return 0;
  if (size > 0x3ffffff0) unreachable();
  // One byte more than wanted: the host cannot reach the last byte of a memory.
  const start = heap.alloc(<usize>size + HEAD + 1);
  store<usize>(start, 0);
  return start + HEAD;
}

/** Free an argument, or what `block` gave. */
export function free(pointer: usize): void {
  if (pointer != 0) heap.free(pointer - HEAD);
}

/** Free this block when the host has copied the result: for every block that the result points to. */
export function keep(pointer: usize): void {
  if (pointer == 0) return;
  store<usize>(pointer - HEAD, results);
  results = pointer;
}

/** Make a block the result: an array with so many elements, a text with so many bytes, a record with 0. */
export function give(pointer: usize, count: u32): void {
  keep(pointer);
  resultPointer = pointer;
  resultSize = count;
}

// ── arguments ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** A text argument. */
export function takeText(pointer: usize, size: u32): string {
  const text = size == 0 ? "" : String.UTF8.decodeUnsafe(pointer, size);
  free(pointer);
  return text;
}

/** An array argument of numbers. */
export function takeArray<T>(pointer: usize, count: u32): T[] {
  const out = new Array<T>(<i32>count);
  for (let at: u32 = 0; at < count; at++) out[at] = load<T>(pointer + <usize>at * sizeof<T>());
  free(pointer);
  return out;
}

/** A text within a record or an array, at this address. */
export function takeTextAt(address: usize): string {
  return takeText(load<u32>(address), load<u32>(address, 4));
}

// ── results ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** A copy of a text for the host, at this address of a record or an array that is the result. */
export function putText(address: usize, text: string): void {
  const size = <u32>String.UTF8.byteLength(text);
  const copy = block(size);
  if (size != 0) String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, copy);
  store<u32>(address, <u32>copy);
  store<u32>(address, size, 4);
  keep(copy);
}

/** Make a text the result. */
export function giveText(text: string): void {
  const size = <u32>String.UTF8.byteLength(text);
  const copy = block(size);
  if (size != 0) String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, copy);
  give(copy, size);
}

/** Make an array of texts the result. */
export function giveTexts(texts: string[]): void {
  const items = block(<u32>texts.length * 8);
  for (let at = 0; at < texts.length; at++) putText(items + <usize>at * 8, texts[at]);
  give(items, <u32>texts.length);
}

// ── functions the host calls: index.ts exports them ────────────────────────────────────────────────────────────────

export function allocate(count: u32, kind: u32): usize {
  let size: u64 = 0;
  if (kind == 0 || kind == 1 || kind == 5) size = 1;
  else if (kind == 2 || kind == 6) size = 2;
  else if (kind == 3 || kind == 7 || kind == 9) size = 4;
  else if (kind == 4 || kind == 8 || kind == 10) size = 8;
  if (size * count > 0x3ffffff0) unreachable();
  return block(<u32>(size * count));
}

export function release_objects(): void {
  while (results != 0) {
    const next = load<usize>(results - HEAD);
    free(results);
    results = next;
  }
}

export function get_result_ptr(): usize {
  return resultPointer;
}

export function get_result_size(): u32 {
  return resultSize;
}

export function set_result_ptr(pointer: usize): void {
  resultPointer = pointer;
}

export function set_result_size(size: u32): void {
  resultSize = size;
}

// ── the host ───────────────────────────────────────────────────────────────────────────────────────────────────────

@external("__marine_host_api_v3", "log_utf8_string")
declare function hostLog(level: u32, target: u32, text: usize, size: u32): void;

@external("__marine_host_api_v3", "get_call_parameters")
declare function hostCallParameters(): void;

export enum Level {
  Error = 1,
  Warn,
  Info,
  Debug,
  Trace,
}

/** Log a text. A module that uses this loads only where its logger is enabled. */
export function log(level: Level, text: string): void {
  const bytes = String.UTF8.encode(text);
  hostLog(<u32>level, 0, changetype<usize>(bytes), <u32>bytes.byteLength);
}

export class Particle {
  constructor(
    public id: string,
    public initPeerId: string,
    public timestamp: u64,
    public ttl: u32,
    public script: string,
    public signature: u8[],
    public token: string,
  ) {}
}

export class Tetraplet {
  constructor(
    public peerPk: string,
    public serviceId: string,
    public functionName: string,
    public lens: string,
  ) {}
}

/** Who calls, and for every argument where its values come from. */
export class Call {
  constructor(
    public particle: Particle,
    public serviceId: string,
    public serviceCreatorPeerId: string,
    public hostId: string,
    public workerId: string,
    public tetraplets: Tetraplet[][],
  ) {}
}

/** The parameters of the call that is running. */
export function callParameters(): Call {
  hostCallParameters();
  const root = resultPointer;
  const p = <usize>load<u32>(root);
  const particle = new Particle(
    takeTextAt(p),
    takeTextAt(p + 8),
    load<u64>(p, 16),
    load<u32>(p, 24),
    takeTextAt(p + 28),
    takeArray<u8>(load<u32>(p, 36), load<u32>(p, 40)),
    takeTextAt(p + 44),
  );
  free(p);
  const groups = <usize>load<u32>(root, 36);
  const count = load<u32>(root, 40);
  const tetraplets: Tetraplet[][] = [];
  for (let at: u32 = 0; at < count; at++) {
    const items = <usize>load<u32>(groups + <usize>at * 8);
    const size = load<u32>(groups + <usize>at * 8, 4);
    const group: Tetraplet[] = [];
    for (let n: u32 = 0; n < size; n++) {
      const one = <usize>load<u32>(items + <usize>n * 4);
      group.push(new Tetraplet(takeTextAt(one), takeTextAt(one + 8), takeTextAt(one + 16), takeTextAt(one + 24)));
      free(one);
    }
    free(items);
    tetraplets.push(group);
  }
  free(groups);
  const call = new Call(
    particle,
    takeTextAt(root + 4),
    takeTextAt(root + 12),
    takeTextAt(root + 20),
    takeTextAt(root + 28),
    tetraplets,
  );
  free(root);
  return call;
}
