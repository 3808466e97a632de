#include "marine.h"

EXPORT(greet) void greet(u8 *name, u32 size) {
  static const char hello[] = "Hello, ";
  u32 length = sizeof hello - 1;
  u8 *text = marine_alloc(length + size);
  memcpy(text, hello, length);
  memcpy(text + length, name, size);
  marine_free(name);
  marine_return(text, length + size);
}

EXPORT(words) void words(u8 *text, u32 size) {
  u32 count = 0, at = 0;
  for (u32 i = 0; i < size; i++) count += text[i] != ' ' && (i == 0 || text[i - 1] == ' ');
  struct marine_text *found = marine_alloc(count * sizeof *found);
  for (u32 i = 0; i < count; i++) {
    while (text[at] == ' ') at++;
    u32 start = at;
    while (at < size && text[at] != ' ') at++;
    found[i].size = at - start;
    found[i].bytes = marine_alloc(found[i].size);
    memcpy(found[i].bytes, text + start, found[i].size);
    marine_keep(found[i].bytes);
  }
  marine_free(text);
  marine_return(found, count);
}

struct RECORD stats {
  u32 count;
  f64 mean;
};

EXPORT(stats) void stats(f64 *values, u32 count) {
  struct stats *result = marine_alloc(sizeof *result);
  f64 sum = 0;
  for (u32 i = 0; i < count; i++) sum += values[i];
  result->count = count;
  result->mean = count ? sum / count : 0;
  marine_free(values);
  marine_return(result, 0);
}

EXPORT(visits) u64 visits(void) {
  static u64 count;
  return ++count;
}

EXPORT(caller) void caller(void) {
  struct marine_call *call = marine_get_call();
  struct marine_text *author = &call->particle->init_peer_id;
  u8 *text = marine_alloc(author->size);
  memcpy(text, author->bytes, author->size);
  marine_return(text, author->size);
  marine_free_call(call);
}
