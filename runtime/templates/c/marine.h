/* The C side of a Marine module: memory, results, and what the host offers. Freestanding, no C library is needed.
   This file is part of this project: change it as you like.

   Arguments arrive as the host lays them out: numbers as they are, a text or an array as a pointer and a count, a record as a
   pointer to its packed fields. Whoever is called owns them and frees them. A text or an array of nothing may be a null pointer.
   Results that are no numbers are given to `marine_return` and live until the host has copied them. So are results of functions of
   other modules: what `marine_pointer` and `marine_size` say after the call belongs to the caller. Such a call frees what was kept
   before when it passes a text, an array or a record: call first, keep afterwards. */
#ifndef MARINE_H
#define MARINE_H

typedef unsigned char u8;
typedef signed char s8;
typedef unsigned short u16;
typedef short s16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long long u64;
typedef long long s64;
typedef float f32;
typedef double f64;

/* An exported function, a function of another module, a record: its fields follow each other without gaps. */
#define EXPORT(name) __attribute__((export_name(#name)))
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define RECORD __attribute__((packed))

/* A text, or bytes, within a record or an array. */
struct RECORD marine_text {
  u8 *bytes;
  u32 size;
};

/* ── memory ─────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Blocks have a power of two bytes; free ones are kept by size. In front of a block stand its size and, in a list, the next. */
struct marine_block {
  u32 power;
  struct marine_block *next;
};

extern u8 __heap_base;
static struct marine_block *marine_unused[32];
static struct marine_block *marine_results;
static u32 marine_top, marine_pointer, marine_size;

__attribute__((unused)) static void *marine_alloc(u32 size) {
  u32 power = 4;
  struct marine_block *block;
  if (size == 0) return 0;
  if (size > 0x40000000u) __builtin_trap();
  while ((1u << power) < size + sizeof *block) power++;
  block = marine_unused[power];
  if (block) {
    marine_unused[power] = block->next;
  } else {
    if (!marine_top) marine_top = ((u32)&__heap_base + 15u) & ~15u;
    u64 end = (u64)marine_top + (1u << power);
    u64 pages = end / 65536 + 1; /* one byte more than the block: the host cannot reach the last byte of a memory */
    u64 now = __builtin_wasm_memory_size(0);
    if (pages > 65536) __builtin_trap();
    if (pages > now && __builtin_wasm_memory_grow(0, (u32)(pages - now)) == (unsigned long)-1) __builtin_trap();
    block = (struct marine_block *)marine_top;
    marine_top = (u32)end;
  }
  block->power = power;
  block->next = 0;
  return block + 1;
}

__attribute__((unused)) static void marine_free(void *memory) {
  struct marine_block *block = (struct marine_block *)memory - 1;
  if (!memory) return;
  block->next = marine_unused[block->power];
  marine_unused[block->power] = block;
}

EXPORT(allocate) void *allocate(u32 count, u32 type) {
  static const u8 sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8};
  if (type >= sizeof sizes) return 0;
  if (count > 0x40000000u / sizes[type]) __builtin_trap();
  return marine_alloc(count * sizes[type]);
}

/* ── results ────────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Free this block when the host has copied the result: for every block that the result points to. */
__attribute__((unused)) static void marine_keep(void *memory) {
  struct marine_block *block = (struct marine_block *)memory - 1;
  if (!memory) return;
  block->next = marine_results;
  marine_results = block;
}

/* Make a block the result: a record (count 0), an array with so many elements, a text with so many bytes. */
__attribute__((unused)) static void marine_return(void *memory, u32 count) {
  marine_keep(memory);
  marine_pointer = (u32)memory;
  marine_size = count;
}

EXPORT(release_objects) void release_objects(void) {
  while (marine_results) {
    struct marine_block *block = marine_results;
    marine_results = block->next;
    marine_free(block + 1);
  }
}

EXPORT(get_result_ptr) u32 get_result_ptr(void) { return marine_pointer; }
EXPORT(get_result_size) u32 get_result_size(void) { return marine_size; }
EXPORT(set_result_ptr) void set_result_ptr(u32 pointer) { marine_pointer = pointer; }
EXPORT(set_result_size) void set_result_size(u32 size) { marine_size = size; }

/* What compilers call for copies and fillings. */
void *memcpy(void *to, const void *from, unsigned long size) {
  u8 *out = to;
  const u8 *in = from;
  while (size--) *out++ = *in++;
  return to;
}

void *memset(void *to, int byte, unsigned long size) {
  u8 *out = to;
  while (size--) *out++ = (u8)byte;
  return to;
}

/* ── the host ───────────────────────────────────────────────────────────────────────────────────────────────────── */

enum marine_level { MARINE_ERROR = 1, MARINE_WARN, MARINE_INFO, MARINE_DEBUG, MARINE_TRACE };

/* Log a text. A module that uses this loads only where its logger is enabled. */
IMPORT("__marine_host_api_v3", "log_utf8_string")
void marine_log(u32 level, u32 target, const char *text, u32 size);

struct RECORD marine_particle {
  struct marine_text id, init_peer_id;
  u64 timestamp;
  u32 ttl;
  struct marine_text script, signature, token;
};

struct RECORD marine_tetraplet {
  struct marine_text peer_pk, service_id, function_name, lens;
};

struct RECORD marine_origins { /* of one argument: where its values come from */
  struct marine_tetraplet **items;
  u32 count;
};

struct RECORD marine_call {
  struct marine_particle *particle;
  struct marine_text service_id, service_creator_peer_id, host_id, worker_id;
  struct marine_origins *tetraplets;
  u32 tetraplet_count;
};

IMPORT("__marine_host_api_v3", "get_call_parameters")
void marine_get_call_parameters(void);

/* Who calls, and where the arguments come from. Give it to `marine_free_call` when it is read. */
__attribute__((unused)) static struct marine_call *marine_get_call(void) {
  marine_get_call_parameters();
  return (struct marine_call *)marine_pointer;
}

__attribute__((unused)) static void marine_free_call(struct marine_call *call) {
  struct marine_particle *particle = call->particle;
  for (u32 i = 0; i < call->tetraplet_count; i++) {
    for (u32 k = 0; k < call->tetraplets[i].count; k++) {
      struct marine_tetraplet *one = call->tetraplets[i].items[k];
      marine_free(one->peer_pk.bytes);
      marine_free(one->service_id.bytes);
      marine_free(one->function_name.bytes);
      marine_free(one->lens.bytes);
      marine_free(one);
    }
    marine_free(call->tetraplets[i].items);
  }
  marine_free(call->tetraplets);
  marine_free(particle->id.bytes);
  marine_free(particle->init_peer_id.bytes);
  marine_free(particle->script.bytes);
  marine_free(particle->signature.bytes);
  marine_free(particle->token.bytes);
  marine_free(particle);
  marine_free(call->service_id.bytes);
  marine_free(call->service_creator_peer_id.bytes);
  marine_free(call->host_id.bytes);
  marine_free(call->worker_id.bytes);
  marine_free(call);
}

#endif
