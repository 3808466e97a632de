// Lines, blocks and the words that begin statements. The rules are those of `aquac/syntax/layout.py`, `indenter.py` and the
// terminals of `aqua.lark`.
//
// A line ends at a line break unless a bracket is open or an operand is missing, which the parser knows: then no line end is
// valid. It goes on, too, if the next line is deeper and begins with a comma or an operator. The first line of a block says how
// deep its lines are; a line of another depth is an error, so no line end is found before it.

#include "tree_sitter/alloc.h"
#include "tree_sitter/parser.h"

#include <string.h>

enum Token {
  NEWLINE,
  INDENT,
  DEDENT,
  ON,
  IF,
  JOIN,
  PAR,
  CO,
  FOR,
  PARSEQ,
  ELSE,
  TRY,
  OTHERWISE,
  CATCH,
  CLOSURE,
  ANYWHERE,
  TOP,
  ERROR_SENTINEL,
};

// Blocks inside each other; deeper ones are errors, as they are of the compiler.
#define DEPTH_MAX 200
#define WORD_MAX 16

typedef struct {
  uint16_t depth;             // open blocks
  uint16_t indents[DEPTH_MAX + 1];  // columns of their lines; the first is the file's
} Scanner;

void *tree_sitter_aqua_external_scanner_create(void) {
  return ts_calloc(1, sizeof(Scanner));
}

void tree_sitter_aqua_external_scanner_destroy(void *payload) { ts_free(payload); }

// Only differences between levels are written, a byte each where they fit: the buffer has 1024 bytes.
unsigned tree_sitter_aqua_external_scanner_serialize(void *payload, char *buffer) {
  Scanner *scanner = payload;
  unsigned size = 0;
  for (unsigned level = 1; level <= scanner->depth; level++) {
    uint16_t step = scanner->indents[level] - scanner->indents[level - 1];
    buffer[size++] = (char)(step & 0xff);
    buffer[size++] = (char)(step >> 8);
  }
  return size;
}

void tree_sitter_aqua_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  Scanner *scanner = payload;
  scanner->depth = 0;
  scanner->indents[0] = 0;
  for (unsigned at = 0; at + 1 < length && scanner->depth < DEPTH_MAX; at += 2) {
    uint16_t step = (uint16_t)((unsigned char)buffer[at] | ((unsigned char)buffer[at + 1] << 8));
    scanner->indents[scanner->depth + 1] = scanner->indents[scanner->depth] + step;
    scanner->depth++;
  }
}

static bool is_blank(int32_t c) { return c == ' ' || c == '\t'; }
static bool is_letter(int32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_word(int32_t c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; }

// Whether the text ahead, at the beginning of a line, continues the line before: a comma, or an operator that is no arrow.
// `minus` says that a `-` was read already.
static bool continues(TSLexer *lexer, bool minus, bool in_block) {
  if (minus) {
    return in_block && lexer->lookahead != '>';
  }
  int32_t c = lexer->lookahead;
  if (c == ',') {
    return true;
  }
  if (!in_block || c == 0 || c > 127 || strchr("|&=!<>*+/%", (int)c) == NULL) {
    return false;
  }
  lexer->advance(lexer, false);
  int32_t next = lexer->lookahead;
  switch (c) {
    case '|':
    case '&':
      return next == c;
    case '=':
    case '!':
      return next == '=';
    case '<':
      if (next == '-') return false;
      if (next != '<') return true;
      lexer->advance(lexer, false);
      return lexer->lookahead != '-';
    case '%': {
      for (const char *want = "init_peer_id"; *want != 0; want++) {
        if (lexer->lookahead != *want) return true;
        lexer->advance(lexer, false);
      }
      return false;
    }
    default:
      return true;
  }
}

// Whether what follows a word, which blanks may precede, lets it begin a statement.
static bool begins(TSLexer *lexer, enum Token token) {
  bool blank = false;
  while (is_blank(lexer->lookahead)) {
    lexer->advance(lexer, false);
    blank = true;
  }
  int32_t c = lexer->lookahead;
  switch (token) {
    case ON:
    case IF:
    case JOIN:
    case PAR:
    case CO:
      if (!blank || c == '\n' || c == '\r' || lexer->eof(lexer)) return false;
      if (c == '-') {
        lexer->advance(lexer, false);
        return lexer->lookahead != '-';  // a comment
      }
      if (c == ',' || (c == ':' && (token == PAR || token == CO))) return false;
      if (c == '=') {
        lexer->advance(lexer, false);
        return lexer->lookahead == '=';
      }
      if (c == '<') {
        lexer->advance(lexer, false);
        if (lexer->lookahead == '<') lexer->advance(lexer, false);
        return lexer->lookahead != '-';
      }
      return true;
    case FOR:
    case PARSEQ:
      return blank && is_letter(c);
    case CATCH:
      return c == ':' || (blank && is_letter(c));
    case ELSE:
    case TRY:
    case OTHERWISE:
      if (c != ':') return false;
      do lexer->advance(lexer, false);
      while (is_blank(lexer->lookahead) || lexer->lookahead == '\r');
      return lexer->lookahead == '\n' || lexer->lookahead == '-' || lexer->eof(lexer);
    case CLOSURE:
      return c == '(' || c == '{';
    default:
      return false;
  }
}

static bool read_word(TSLexer *lexer, char word[WORD_MAX]) {
  unsigned size = 0;
  while (is_word(lexer->lookahead)) {
    if (size == WORD_MAX - 1) return false;
    word[size++] = (char)lexer->lookahead;
    lexer->advance(lexer, false);
  }
  word[size] = 0;
  return true;
}

// Whether a line begins that no bracket can contain: a definition at the margin, or a return.
static bool breaks_off(TSLexer *lexer, uint32_t indent) {
  static const char *const WORDS[] = {"func", "service", "data",   "ability", "alias", "const",
                                      "aqua", "module",  "import", "use",     "export"};
  if (lexer->lookahead == '<') {
    lexer->advance(lexer, false);
    return lexer->lookahead == '-';
  }
  char word[WORD_MAX];
  if (indent > 0 || !is_letter(lexer->lookahead) || !read_word(lexer, word) || !is_blank(lexer->lookahead)) return false;
  while (is_blank(lexer->lookahead)) lexer->advance(lexer, false);
  if (!is_letter(lexer->lookahead) && lexer->lookahead != '"') return false;
  for (unsigned n = 0; n < sizeof(WORDS) / sizeof(WORDS[0]); n++) {
    if (strcmp(word, WORDS[n]) == 0) return true;
  }
  return false;
}

static bool scan_word(TSLexer *lexer, const bool *valid) {
  static const struct {
    const char *text;
    enum Token token;
  } WORDS[] = {
      {"on", ON},     {"if", IF},   {"join", JOIN},           {"par", PAR},     {"co", CO},        {"for", FOR},
      {"parseq", PARSEQ}, {"else", ELSE}, {"try", TRY}, {"otherwise", OTHERWISE}, {"catch", CATCH}, {"func", CLOSURE},
  };
  char word[WORD_MAX];
  if (!read_word(lexer, word)) return false;
  for (unsigned n = 0; n < sizeof(WORDS) / sizeof(WORDS[0]); n++) {
    if (strcmp(word, WORDS[n].text) == 0) {
      lexer->mark_end(lexer);
      lexer->result_symbol = (TSSymbol)WORDS[n].token;
      return valid[WORDS[n].token] && begins(lexer, WORDS[n].token);
    }
  }
  return false;
}

// Whether an open block has its lines in this column.
static bool is_level(const Scanner *scanner, uint32_t column) {
  for (unsigned level = 0; level <= scanner->depth; level++) {
    if (scanner->indents[level] == column) return true;
  }
  return false;
}

bool tree_sitter_aqua_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  Scanner *scanner = payload;
  bool recovers = valid[ERROR_SENTINEL];
  bool line_ended = false;
  bool comment = false;
  bool minus = false;
  uint32_t indent = 0;
  lexer->mark_end(lexer);  // line ends, indentation and its ends have no width
  for (;;) {
    int32_t c = lexer->lookahead;
    if (c == '\n') {
      line_ended = true;
      indent = 0;
      lexer->advance(lexer, true);
    } else if (is_blank(c)) {
      indent++;
      lexer->advance(lexer, true);
    } else if (c == '\r' || c == 0xfeff) {
      lexer->advance(lexer, true);
    } else if (c == '-') {
      lexer->advance(lexer, false);
      if (lexer->lookahead != '-') {
        minus = true;
        break;
      }
      if (!line_ended) return false;  // a comment behind code is read by the parser, and the line end after it
      comment = true;
      while (lexer->lookahead != '\n' && !lexer->eof(lexer)) lexer->advance(lexer, true);
    } else {
      break;
    }
  }
  if (lexer->eof(lexer)) {
    line_ended = true;
    indent = 0;
  }
  uint16_t current = scanner->indents[scanner->depth];
  if (line_ended) {
    if (valid[INDENT] && !recovers) {
      if (indent <= current || indent > UINT16_MAX || scanner->depth == DEPTH_MAX || lexer->eof(lexer)) return false;
      scanner->indents[++scanner->depth] = (uint16_t)indent;
      lexer->result_symbol = INDENT;
      return true;
    }
    if (valid[NEWLINE]) {
      bool in_block = scanner->depth > 0;
      bool deeper = indent > current;
      if ((deeper || indent == 0) && !lexer->eof(lexer) && continues(lexer, minus, in_block)) return false;
      if (!recovers && !is_level(scanner, indent)) return false;
      lexer->result_symbol = NEWLINE;
      return true;
    }
    if (valid[DEDENT] && indent < current) {
      scanner->depth--;
      lexer->result_symbol = DEDENT;
      return true;
    }
    // Inside a bracket: a line end that is not valid here has the parser give up what is open, not what follows.
    bool inside = !recovers && !valid[INDENT] && !valid[DEDENT] && !valid[TOP] && !valid[ON];
    if (inside && !minus && breaks_off(lexer, indent)) {
      lexer->result_symbol = NEWLINE;
      return true;
    }
    if (comment) return false;
  }
  return !minus && is_letter(lexer->lookahead) && scan_word(lexer, valid);
}
