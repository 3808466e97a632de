#include "tree_sitter/parser.h"

#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif

#define LANGUAGE_VERSION 14
#define STATE_COUNT 28
#define LARGE_STATE_COUNT 6
#define SYMBOL_COUNT 46
#define ALIAS_COUNT 0
#define TOKEN_COUNT 35
#define EXTERNAL_TOKEN_COUNT 0
#define FIELD_COUNT 3
#define MAX_ALIAS_SEQUENCE_LENGTH 5
#define PRODUCTION_ID_COUNT 3

enum ts_symbol_identifiers {
  sym_identifier = 1,
  sym_comment = 2,
  anon_sym_LPAREN = 3,
  anon_sym_ap = 4,
  anon_sym_call = 5,
  anon_sym_canon = 6,
  anon_sym_fail = 7,
  anon_sym_fold = 8,
  anon_sym_match = 9,
  anon_sym_mismatch = 10,
  anon_sym_never = 11,
  anon_sym_new = 12,
  anon_sym_next = 13,
  anon_sym_null = 14,
  anon_sym_par = 15,
  anon_sym_seq = 16,
  anon_sym_xor = 17,
  anon_sym_RPAREN = 18,
  anon_sym_LBRACK = 19,
  anon_sym_RBRACK = 20,
  sym_stream = 21,
  sym_map = 22,
  sym_canon = 23,
  sym_canon_map = 24,
  sym_lens = 25,
  anon_sym_true = 26,
  anon_sym_false = 27,
  anon_sym_PERCENTinit_peer_id_PERCENT = 28,
  anon_sym_PERCENTtimestamp_PERCENT = 29,
  anon_sym_PERCENTttl_PERCENT = 30,
  anon_sym_PERCENTlast_error_PERCENT = 31,
  anon_sym_COLONerror_COLON = 32,
  sym_string = 33,
  sym_number = 34,
  sym_source_file = 35,
  sym_instruction = 36,
  sym__operand = 37,
  sym_triplet_function = 38,
  sym_list = 39,
  sym__value = 40,
  sym_variable = 41,
  sym_constant = 42,
  aux_sym_source_file_repeat1 = 43,
  aux_sym_instruction_repeat1 = 44,
  aux_sym_list_repeat1 = 45,
};

static const char * const ts_symbol_names[] = {
  [ts_builtin_sym_end] = "end",
  [sym_identifier] = "identifier",
  [sym_comment] = "comment",
  [anon_sym_LPAREN] = "(",
  [anon_sym_ap] = "ap",
  [anon_sym_call] = "call",
  [anon_sym_canon] = "canon",
  [anon_sym_fail] = "fail",
  [anon_sym_fold] = "fold",
  [anon_sym_match] = "match",
  [anon_sym_mismatch] = "mismatch",
  [anon_sym_never] = "never",
  [anon_sym_new] = "new",
  [anon_sym_next] = "next",
  [anon_sym_null] = "null",
  [anon_sym_par] = "par",
  [anon_sym_seq] = "seq",
  [anon_sym_xor] = "xor",
  [anon_sym_RPAREN] = ")",
  [anon_sym_LBRACK] = "[",
  [anon_sym_RBRACK] = "]",
  [sym_stream] = "stream",
  [sym_map] = "map",
  [sym_canon] = "canon",
  [sym_canon_map] = "canon_map",
  [sym_lens] = "lens",
  [anon_sym_true] = "true",
  [anon_sym_false] = "false",
  [anon_sym_PERCENTinit_peer_id_PERCENT] = "%init_peer_id%",
  [anon_sym_PERCENTtimestamp_PERCENT] = "%timestamp%",
  [anon_sym_PERCENTttl_PERCENT] = "%ttl%",
  [anon_sym_PERCENTlast_error_PERCENT] = "%last_error%",
  [anon_sym_COLONerror_COLON] = ":error:",
  [sym_string] = "string",
  [sym_number] = "number",
  [sym_source_file] = "source_file",
  [sym_instruction] = "instruction",
  [sym__operand] = "_operand",
  [sym_triplet_function] = "triplet_function",
  [sym_list] = "list",
  [sym__value] = "_value",
  [sym_variable] = "variable",
  [sym_constant] = "constant",
  [aux_sym_source_file_repeat1] = "source_file_repeat1",
  [aux_sym_instruction_repeat1] = "instruction_repeat1",
  [aux_sym_list_repeat1] = "list_repeat1",
};

static const TSSymbol ts_symbol_map[] = {
  [ts_builtin_sym_end] = ts_builtin_sym_end,
  [sym_identifier] = sym_identifier,
  [sym_comment] = sym_comment,
  [anon_sym_LPAREN] = anon_sym_LPAREN,
  [anon_sym_ap] = anon_sym_ap,
  [anon_sym_call] = anon_sym_call,
  [anon_sym_canon] = anon_sym_canon,
  [anon_sym_fail] = anon_sym_fail,
  [anon_sym_fold] = anon_sym_fold,
  [anon_sym_match] = anon_sym_match,
  [anon_sym_mismatch] = anon_sym_mismatch,
  [anon_sym_never] = anon_sym_never,
  [anon_sym_new] = anon_sym_new,
  [anon_sym_next] = anon_sym_next,
  [anon_sym_null] = anon_sym_null,
  [anon_sym_par] = anon_sym_par,
  [anon_sym_seq] = anon_sym_seq,
  [anon_sym_xor] = anon_sym_xor,
  [anon_sym_RPAREN] = anon_sym_RPAREN,
  [anon_sym_LBRACK] = anon_sym_LBRACK,
  [anon_sym_RBRACK] = anon_sym_RBRACK,
  [sym_stream] = sym_stream,
  [sym_map] = sym_map,
  [sym_canon] = sym_canon,
  [sym_canon_map] = sym_canon_map,
  [sym_lens] = sym_lens,
  [anon_sym_true] = anon_sym_true,
  [anon_sym_false] = anon_sym_false,
  [anon_sym_PERCENTinit_peer_id_PERCENT] = anon_sym_PERCENTinit_peer_id_PERCENT,
  [anon_sym_PERCENTtimestamp_PERCENT] = anon_sym_PERCENTtimestamp_PERCENT,
  [anon_sym_PERCENTttl_PERCENT] = anon_sym_PERCENTttl_PERCENT,
  [anon_sym_PERCENTlast_error_PERCENT] = anon_sym_PERCENTlast_error_PERCENT,
  [anon_sym_COLONerror_COLON] = anon_sym_COLONerror_COLON,
  [sym_string] = sym_string,
  [sym_number] = sym_number,
  [sym_source_file] = sym_source_file,
  [sym_instruction] = sym_instruction,
  [sym__operand] = sym__operand,
  [sym_triplet_function] = sym_triplet_function,
  [sym_list] = sym_list,
  [sym__value] = sym__value,
  [sym_variable] = sym_variable,
  [sym_constant] = sym_constant,
  [aux_sym_source_file_repeat1] = aux_sym_source_file_repeat1,
  [aux_sym_instruction_repeat1] = aux_sym_instruction_repeat1,
  [aux_sym_list_repeat1] = aux_sym_list_repeat1,
};

static const TSSymbolMetadata ts_symbol_metadata[] = {
  [ts_builtin_sym_end] = {
    .visible = false,
    .named = true,
  },
  [sym_identifier] = {
    .visible = true,
    .named = true,
  },
  [sym_comment] = {
    .visible = true,
    .named = true,
  },
  [anon_sym_LPAREN] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_ap] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_call] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_canon] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_fail] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_fold] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_match] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_mismatch] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_never] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_new] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_next] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_null] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_par] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_seq] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_xor] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_RPAREN] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_LBRACK] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_RBRACK] = {
    .visible = true,
    .named = false,
  },
  [sym_stream] = {
    .visible = true,
    .named = true,
  },
  [sym_map] = {
    .visible = true,
    .named = true,
  },
  [sym_canon] = {
    .visible = true,
    .named = true,
  },
  [sym_canon_map] = {
    .visible = true,
    .named = true,
  },
  [sym_lens] = {
    .visible = true,
    .named = true,
  },
  [anon_sym_true] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_false] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_PERCENTinit_peer_id_PERCENT] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_PERCENTtimestamp_PERCENT] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_PERCENTttl_PERCENT] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_PERCENTlast_error_PERCENT] = {
    .visible = true,
    .named = false,
  },
  [anon_sym_COLONerror_COLON] = {
    .visible = true,
    .named = false,
  },
  [sym_string] = {
    .visible = true,
    .named = true,
  },
  [sym_number] = {
    .visible = true,
    .named = true,
  },
  [sym_source_file] = {
    .visible = true,
    .named = true,
  },
  [sym_instruction] = {
    .visible = true,
    .named = true,
  },
  [sym__operand] = {
    .visible = false,
    .named = true,
  },
  [sym_triplet_function] = {
    .visible = true,
    .named = true,
  },
  [sym_list] = {
    .visible = true,
    .named = true,
  },
  [sym__value] = {
    .visible = false,
    .named = true,
  },
  [sym_variable] = {
    .visible = true,
    .named = true,
  },
  [sym_constant] = {
    .visible = true,
    .named = true,
  },
  [aux_sym_source_file_repeat1] = {
    .visible = false,
    .named = false,
  },
  [aux_sym_instruction_repeat1] = {
    .visible = false,
    .named = false,
  },
  [aux_sym_list_repeat1] = {
    .visible = false,
    .named = false,
  },
};

enum ts_field_identifiers {
  field_function = 1,
  field_name = 2,
  field_service = 3,
};

static const char * const ts_field_names[] = {
  [0] = NULL,
  [field_function] = "function",
  [field_name] = "name",
  [field_service] = "service",
};

static const TSFieldMapSlice ts_field_map_slices[PRODUCTION_ID_COUNT] = {
  [1] = {.index = 0, .length = 1},
  [2] = {.index = 1, .length = 2},
};

static const TSFieldMapEntry ts_field_map_entries[] = {
  [0] =
    {field_name, 1},
  [1] =
    {field_function, 2},
    {field_service, 1},
};

static const TSSymbol ts_alias_sequences[PRODUCTION_ID_COUNT][MAX_ALIAS_SEQUENCE_LENGTH] = {
  [0] = {0},
};

static const uint16_t ts_non_terminal_alias_map[] = {
  0,
};

static const TSStateId ts_primary_state_ids[STATE_COUNT] = {
  [0] = 0,
  [1] = 1,
  [2] = 2,
  [3] = 3,
  [4] = 4,
  [5] = 5,
  [6] = 6,
  [7] = 7,
  [8] = 8,
  [9] = 9,
  [10] = 10,
  [11] = 11,
  [12] = 12,
  [13] = 13,
  [14] = 14,
  [15] = 15,
  [16] = 16,
  [17] = 17,
  [18] = 18,
  [19] = 19,
  [20] = 20,
  [21] = 21,
  [22] = 22,
  [23] = 23,
  [24] = 24,
  [25] = 25,
  [26] = 26,
  [27] = 27,
};

static bool ts_lex(TSLexer *lexer, TSStateId state) {
  START_LEXER();
  eof = lexer->eof(lexer);
  switch (state) {
    case 0:
      if (eof) ADVANCE(23);
      ADVANCE_MAP(
        '"', 1,
        '#', 3,
        '$', 20,
        '%', 12,
        '(', 25,
        ')', 26,
        '-', 73,
        '.', 2,
        ':', 8,
        ';', 24,
        '[', 27,
        ']', 28,
      );
      if (('\t' <= lookahead && lookahead <= '\r') ||
          lookahead == ' ') SKIP(22);
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(76);
      if (('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(74);
      END_STATE();
    case 1:
      if (lookahead == '"') ADVANCE(75);
      if (lookahead != 0) ADVANCE(1);
      END_STATE();
    case 2:
      if (lookahead == '$') ADVANCE(66);
      if (lookahead == 'l') ADVANCE(9);
      END_STATE();
    case 3:
      if (lookahead == '%') ADVANCE(21);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= '9') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(64);
      END_STATE();
    case 4:
      if (lookahead == ':') ADVANCE(72);
      END_STATE();
    case 5:
      if (lookahead == ';') ADVANCE(24);
      if (('\t' <= lookahead && lookahead <= '\r') ||
          lookahead == ' ') SKIP(5);
      if (lookahead == '-' ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(74);
      END_STATE();
    case 6:
      if (lookahead == '[') ADVANCE(7);
      if (('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(67);
      END_STATE();
    case 7:
      if (lookahead == ']') ADVANCE(66);
      if (lookahead != 0 &&
          (lookahead < '\t' || '\r' < lookahead) &&
          lookahead != ' ') ADVANCE(7);
      END_STATE();
    case 8:
      if (lookahead == 'e') ADVANCE(17);
      END_STATE();
    case 9:
      if (lookahead == 'e') ADVANCE(13);
      END_STATE();
    case 10:
      if (lookahead == 'g') ADVANCE(18);
      END_STATE();
    case 11:
      if (lookahead == 'h') ADVANCE(66);
      END_STATE();
    case 12:
      if (lookahead == 'i') ADVANCE(50);
      if (lookahead == 'l') ADVANCE(37);
      if (lookahead == 't') ADVANCE(44);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= '9') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 13:
      if (lookahead == 'n') ADVANCE(10);
      END_STATE();
    case 14:
      if (lookahead == 'o') ADVANCE(16);
      END_STATE();
    case 15:
      if (lookahead == 'r') ADVANCE(14);
      END_STATE();
    case 16:
      if (lookahead == 'r') ADVANCE(4);
      END_STATE();
    case 17:
      if (lookahead == 'r') ADVANCE(15);
      END_STATE();
    case 18:
      if (lookahead == 't') ADVANCE(11);
      END_STATE();
    case 19:
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(77);
      END_STATE();
    case 20:
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= '9') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(29);
      END_STATE();
    case 21:
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= '9') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(65);
      END_STATE();
    case 22:
      if (eof) ADVANCE(23);
      ADVANCE_MAP(
        '"', 1,
        '#', 3,
        '$', 20,
        '%', 12,
        '(', 25,
        ')', 26,
        '-', 73,
        ':', 8,
        ';', 24,
        '[', 27,
        ']', 28,
      );
      if (('\t' <= lookahead && lookahead <= '\r') ||
          lookahead == ' ') SKIP(22);
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(76);
      if (('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(74);
      END_STATE();
    case 23:
      ACCEPT_TOKEN(ts_builtin_sym_end);
      END_STATE();
    case 24:
      ACCEPT_TOKEN(sym_comment);
      if (lookahead != 0 &&
          lookahead != '\n') ADVANCE(24);
      END_STATE();
    case 25:
      ACCEPT_TOKEN(anon_sym_LPAREN);
      END_STATE();
    case 26:
      ACCEPT_TOKEN(anon_sym_RPAREN);
      END_STATE();
    case 27:
      ACCEPT_TOKEN(anon_sym_LBRACK);
      END_STATE();
    case 28:
      ACCEPT_TOKEN(anon_sym_RBRACK);
      END_STATE();
    case 29:
      ACCEPT_TOKEN(sym_stream);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(29);
      END_STATE();
    case 30:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '%') ADVANCE(70);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 31:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '%') ADVANCE(69);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 32:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '%') ADVANCE(71);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 33:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '%') ADVANCE(68);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 34:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '_') ADVANCE(53);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 35:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '_') ADVANCE(46);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 36:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '_') ADVANCE(40);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 37:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'a') ADVANCE(59);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('b' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 38:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'a') ADVANCE(49);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('b' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 39:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'd') ADVANCE(33);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 40:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'e') ADVANCE(55);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 41:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'e') ADVANCE(57);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 42:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'e') ADVANCE(41);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 43:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'e') ADVANCE(58);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 44:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'i') ADVANCE(48);
      if (lookahead == 't') ADVANCE(47);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 45:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'i') ADVANCE(60);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 46:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'i') ADVANCE(39);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 47:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'l') ADVANCE(30);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 48:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'm') ADVANCE(43);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 49:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'm') ADVANCE(52);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 50:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'n') ADVANCE(45);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 51:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'o') ADVANCE(56);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 52:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'p') ADVANCE(31);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 53:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'p') ADVANCE(42);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 54:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'r') ADVANCE(51);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 55:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'r') ADVANCE(54);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 56:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'r') ADVANCE(32);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 57:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 'r') ADVANCE(35);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 58:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 's') ADVANCE(61);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 59:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 's') ADVANCE(62);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 60:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 't') ADVANCE(34);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 61:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 't') ADVANCE(38);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 62:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == 't') ADVANCE(36);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 63:
      ACCEPT_TOKEN(sym_map);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(63);
      END_STATE();
    case 64:
      ACCEPT_TOKEN(sym_canon);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(64);
      END_STATE();
    case 65:
      ACCEPT_TOKEN(sym_canon_map);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(65);
      END_STATE();
    case 66:
      ACCEPT_TOKEN(sym_lens);
      if (lookahead == '!') ADVANCE(66);
      if (lookahead == '.') ADVANCE(6);
      if (lookahead == '[') ADVANCE(7);
      END_STATE();
    case 67:
      ACCEPT_TOKEN(sym_lens);
      if (lookahead == '!') ADVANCE(66);
      if (lookahead == '.') ADVANCE(6);
      if (lookahead == '[') ADVANCE(7);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= '9') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(67);
      END_STATE();
    case 68:
      ACCEPT_TOKEN(anon_sym_PERCENTinit_peer_id_PERCENT);
      END_STATE();
    case 69:
      ACCEPT_TOKEN(anon_sym_PERCENTtimestamp_PERCENT);
      END_STATE();
    case 70:
      ACCEPT_TOKEN(anon_sym_PERCENTttl_PERCENT);
      END_STATE();
    case 71:
      ACCEPT_TOKEN(anon_sym_PERCENTlast_error_PERCENT);
      END_STATE();
    case 72:
      ACCEPT_TOKEN(anon_sym_COLONerror_COLON);
      END_STATE();
    case 73:
      ACCEPT_TOKEN(sym_identifier);
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(76);
      if (lookahead == '-' ||
          lookahead == ':' ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(74);
      END_STATE();
    case 74:
      ACCEPT_TOKEN(sym_identifier);
      if (lookahead == '-' ||
          ('0' <= lookahead && lookahead <= ':') ||
          ('A' <= lookahead && lookahead <= 'Z') ||
          lookahead == '_' ||
          ('a' <= lookahead && lookahead <= 'z')) ADVANCE(74);
      END_STATE();
    case 75:
      ACCEPT_TOKEN(sym_string);
      END_STATE();
    case 76:
      ACCEPT_TOKEN(sym_number);
      if (lookahead == '.') ADVANCE(19);
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(76);
      END_STATE();
    case 77:
      ACCEPT_TOKEN(sym_number);
      if (('0' <= lookahead && lookahead <= '9')) ADVANCE(77);
      END_STATE();
    default:
      return false;
  }
}

static bool ts_lex_keywords(TSLexer *lexer, TSStateId state) {
  START_LEXER();
  eof = lexer->eof(lexer);
  switch (state) {
    case 0:
      ADVANCE_MAP(
        'a', 1,
        'c', 2,
        'f', 3,
        'm', 4,
        'n', 5,
        'p', 6,
        's', 7,
        't', 8,
        'x', 9,
      );
      if (('\t' <= lookahead && lookahead <= '\r') ||
          lookahead == ' ') SKIP(0);
      END_STATE();
    case 1:
      if (lookahead == 'p') ADVANCE(10);
      END_STATE();
    case 2:
      if (lookahead == 'a') ADVANCE(11);
      END_STATE();
    case 3:
      if (lookahead == 'a') ADVANCE(12);
      if (lookahead == 'o') ADVANCE(13);
      END_STATE();
    case 4:
      if (lookahead == 'a') ADVANCE(14);
      if (lookahead == 'i') ADVANCE(15);
      END_STATE();
    case 5:
      if (lookahead == 'e') ADVANCE(16);
      if (lookahead == 'u') ADVANCE(17);
      END_STATE();
    case 6:
      if (lookahead == 'a') ADVANCE(18);
      END_STATE();
    case 7:
      if (lookahead == 'e') ADVANCE(19);
      END_STATE();
    case 8:
      if (lookahead == 'r') ADVANCE(20);
      END_STATE();
    case 9:
      if (lookahead == 'o') ADVANCE(21);
      END_STATE();
    case 10:
      ACCEPT_TOKEN(anon_sym_ap);
      END_STATE();
    case 11:
      if (lookahead == 'l') ADVANCE(22);
      if (lookahead == 'n') ADVANCE(23);
      END_STATE();
    case 12:
      if (lookahead == 'i') ADVANCE(24);
      if (lookahead == 'l') ADVANCE(25);
      END_STATE();
    case 13:
      if (lookahead == 'l') ADVANCE(26);
      END_STATE();
    case 14:
      if (lookahead == 't') ADVANCE(27);
      END_STATE();
    case 15:
      if (lookahead == 's') ADVANCE(28);
      END_STATE();
    case 16:
      if (lookahead == 'v') ADVANCE(29);
      if (lookahead == 'w') ADVANCE(30);
      if (lookahead == 'x') ADVANCE(31);
      END_STATE();
    case 17:
      if (lookahead == 'l') ADVANCE(32);
      END_STATE();
    case 18:
      if (lookahead == 'r') ADVANCE(33);
      END_STATE();
    case 19:
      if (lookahead == 'q') ADVANCE(34);
      END_STATE();
    case 20:
      if (lookahead == 'u') ADVANCE(35);
      END_STATE();
    case 21:
      if (lookahead == 'r') ADVANCE(36);
      END_STATE();
    case 22:
      if (lookahead == 'l') ADVANCE(37);
      END_STATE();
    case 23:
      if (lookahead == 'o') ADVANCE(38);
      END_STATE();
    case 24:
      if (lookahead == 'l') ADVANCE(39);
      END_STATE();
    case 25:
      if (lookahead == 's') ADVANCE(40);
      END_STATE();
    case 26:
      if (lookahead == 'd') ADVANCE(41);
      END_STATE();
    case 27:
      if (lookahead == 'c') ADVANCE(42);
      END_STATE();
    case 28:
      if (lookahead == 'm') ADVANCE(43);
      END_STATE();
    case 29:
      if (lookahead == 'e') ADVANCE(44);
      END_STATE();
    case 30:
      ACCEPT_TOKEN(anon_sym_new);
      END_STATE();
    case 31:
      if (lookahead == 't') ADVANCE(45);
      END_STATE();
    case 32:
      if (lookahead == 'l') ADVANCE(46);
      END_STATE();
    case 33:
      ACCEPT_TOKEN(anon_sym_par);
      END_STATE();
    case 34:
      ACCEPT_TOKEN(anon_sym_seq);
      END_STATE();
    case 35:
      if (lookahead == 'e') ADVANCE(47);
      END_STATE();
    case 36:
      ACCEPT_TOKEN(anon_sym_xor);
      END_STATE();
    case 37:
      ACCEPT_TOKEN(anon_sym_call);
      END_STATE();
    case 38:
      if (lookahead == 'n') ADVANCE(48);
      END_STATE();
    case 39:
      ACCEPT_TOKEN(anon_sym_fail);
      END_STATE();
    case 40:
      if (lookahead == 'e') ADVANCE(49);
      END_STATE();
    case 41:
      ACCEPT_TOKEN(anon_sym_fold);
      END_STATE();
    case 42:
      if (lookahead == 'h') ADVANCE(50);
      END_STATE();
    case 43:
      if (lookahead == 'a') ADVANCE(51);
      END_STATE();
    case 44:
      if (lookahead == 'r') ADVANCE(52);
      END_STATE();
    case 45:
      ACCEPT_TOKEN(anon_sym_next);
      END_STATE();
    case 46:
      ACCEPT_TOKEN(anon_sym_null);
      END_STATE();
    case 47:
      ACCEPT_TOKEN(anon_sym_true);
      END_STATE();
    case 48:
      ACCEPT_TOKEN(anon_sym_canon);
      END_STATE();
    case 49:
      ACCEPT_TOKEN(anon_sym_false);
      END_STATE();
    case 50:
      ACCEPT_TOKEN(anon_sym_match);
      END_STATE();
    case 51:
      if (lookahead == 't') ADVANCE(53);
      END_STATE();
    case 52:
      ACCEPT_TOKEN(anon_sym_never);
      END_STATE();
    case 53:
      if (lookahead == 'c') ADVANCE(54);
      END_STATE();
    case 54:
      if (lookahead == 'h') ADVANCE(55);
      END_STATE();
    case 55:
      ACCEPT_TOKEN(anon_sym_mismatch);
      END_STATE();
    default:
      return false;
  }
}

static const TSLexMode ts_lex_modes[STATE_COUNT] = {
  [0] = {.lex_state = 0},
  [1] = {.lex_state = 0},
  [2] = {.lex_state = 0},
  [3] = {.lex_state = 0},
  [4] = {.lex_state = 0},
  [5] = {.lex_state = 0},
  [6] = {.lex_state = 0},
  [7] = {.lex_state = 0},
  [8] = {.lex_state = 0},
  [9] = {.lex_state = 0},
  [10] = {.lex_state = 0},
  [11] = {.lex_state = 0},
  [12] = {.lex_state = 0},
  [13] = {.lex_state = 0},
  [14] = {.lex_state = 0},
  [15] = {.lex_state = 0},
  [16] = {.lex_state = 0},
  [17] = {.lex_state = 0},
  [18] = {.lex_state = 5},
  [19] = {.lex_state = 0},
  [20] = {.lex_state = 0},
  [21] = {.lex_state = 0},
  [22] = {.lex_state = 0},
  [23] = {.lex_state = 0},
  [24] = {.lex_state = 0},
  [25] = {.lex_state = 0},
  [26] = {.lex_state = 0},
  [27] = {.lex_state = 0},
};

static const uint16_t ts_parse_table[LARGE_STATE_COUNT][SYMBOL_COUNT] = {
  [0] = {
    [ts_builtin_sym_end] = ACTIONS(1),
    [sym_identifier] = ACTIONS(1),
    [sym_comment] = ACTIONS(3),
    [anon_sym_LPAREN] = ACTIONS(1),
    [anon_sym_ap] = ACTIONS(1),
    [anon_sym_call] = ACTIONS(1),
    [anon_sym_canon] = ACTIONS(1),
    [anon_sym_fail] = ACTIONS(1),
    [anon_sym_fold] = ACTIONS(1),
    [anon_sym_match] = ACTIONS(1),
    [anon_sym_mismatch] = ACTIONS(1),
    [anon_sym_never] = ACTIONS(1),
    [anon_sym_new] = ACTIONS(1),
    [anon_sym_next] = ACTIONS(1),
    [anon_sym_null] = ACTIONS(1),
    [anon_sym_par] = ACTIONS(1),
    [anon_sym_seq] = ACTIONS(1),
    [anon_sym_xor] = ACTIONS(1),
    [anon_sym_RPAREN] = ACTIONS(1),
    [anon_sym_LBRACK] = ACTIONS(1),
    [anon_sym_RBRACK] = ACTIONS(1),
    [sym_stream] = ACTIONS(1),
    [sym_map] = ACTIONS(1),
    [sym_canon] = ACTIONS(1),
    [sym_canon_map] = ACTIONS(1),
    [sym_lens] = ACTIONS(1),
    [anon_sym_true] = ACTIONS(1),
    [anon_sym_false] = ACTIONS(1),
    [anon_sym_PERCENTinit_peer_id_PERCENT] = ACTIONS(1),
    [anon_sym_PERCENTtimestamp_PERCENT] = ACTIONS(1),
    [anon_sym_PERCENTttl_PERCENT] = ACTIONS(1),
    [anon_sym_PERCENTlast_error_PERCENT] = ACTIONS(1),
    [anon_sym_COLONerror_COLON] = ACTIONS(1),
    [sym_string] = ACTIONS(1),
    [sym_number] = ACTIONS(1),
  },
  [1] = {
    [sym_source_file] = STATE(26),
    [sym_instruction] = STATE(21),
    [aux_sym_source_file_repeat1] = STATE(21),
    [ts_builtin_sym_end] = ACTIONS(5),
    [sym_comment] = ACTIONS(3),
    [anon_sym_LPAREN] = ACTIONS(7),
  },
  [2] = {
    [sym_list] = STATE(11),
    [sym__value] = STATE(11),
    [sym_variable] = STATE(11),
    [sym_constant] = STATE(11),
    [sym_identifier] = ACTIONS(9),
    [sym_comment] = ACTIONS(3),
    [anon_sym_ap] = ACTIONS(11),
    [anon_sym_call] = ACTIONS(11),
    [anon_sym_canon] = ACTIONS(11),
    [anon_sym_fail] = ACTIONS(11),
    [anon_sym_fold] = ACTIONS(11),
    [anon_sym_match] = ACTIONS(11),
    [anon_sym_mismatch] = ACTIONS(11),
    [anon_sym_never] = ACTIONS(11),
    [anon_sym_new] = ACTIONS(11),
    [anon_sym_next] = ACTIONS(11),
    [anon_sym_null] = ACTIONS(11),
    [anon_sym_par] = ACTIONS(11),
    [anon_sym_seq] = ACTIONS(11),
    [anon_sym_xor] = ACTIONS(11),
    [anon_sym_LBRACK] = ACTIONS(13),
    [sym_stream] = ACTIONS(15),
    [sym_map] = ACTIONS(9),
    [sym_canon] = ACTIONS(15),
    [sym_canon_map] = ACTIONS(15),
    [anon_sym_true] = ACTIONS(17),
    [anon_sym_false] = ACTIONS(17),
    [anon_sym_PERCENTinit_peer_id_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTtimestamp_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTttl_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTlast_error_PERCENT] = ACTIONS(19),
    [anon_sym_COLONerror_COLON] = ACTIONS(19),
    [sym_string] = ACTIONS(21),
    [sym_number] = ACTIONS(21),
  },
  [3] = {
    [sym_instruction] = STATE(20),
    [sym__operand] = STATE(4),
    [sym_triplet_function] = STATE(4),
    [sym_list] = STATE(4),
    [sym__value] = STATE(4),
    [sym_variable] = STATE(4),
    [sym_constant] = STATE(4),
    [aux_sym_source_file_repeat1] = STATE(20),
    [aux_sym_instruction_repeat1] = STATE(4),
    [sym_identifier] = ACTIONS(9),
    [sym_comment] = ACTIONS(3),
    [anon_sym_LPAREN] = ACTIONS(23),
    [anon_sym_RPAREN] = ACTIONS(25),
    [anon_sym_LBRACK] = ACTIONS(13),
    [sym_stream] = ACTIONS(15),
    [sym_map] = ACTIONS(9),
    [sym_canon] = ACTIONS(15),
    [sym_canon_map] = ACTIONS(15),
    [anon_sym_true] = ACTIONS(17),
    [anon_sym_false] = ACTIONS(17),
    [anon_sym_PERCENTinit_peer_id_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTtimestamp_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTttl_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTlast_error_PERCENT] = ACTIONS(19),
    [anon_sym_COLONerror_COLON] = ACTIONS(19),
    [sym_string] = ACTIONS(27),
    [sym_number] = ACTIONS(27),
  },
  [4] = {
    [sym_instruction] = STATE(22),
    [sym__operand] = STATE(5),
    [sym_triplet_function] = STATE(5),
    [sym_list] = STATE(5),
    [sym__value] = STATE(5),
    [sym_variable] = STATE(5),
    [sym_constant] = STATE(5),
    [aux_sym_source_file_repeat1] = STATE(22),
    [aux_sym_instruction_repeat1] = STATE(5),
    [sym_identifier] = ACTIONS(9),
    [sym_comment] = ACTIONS(3),
    [anon_sym_LPAREN] = ACTIONS(23),
    [anon_sym_RPAREN] = ACTIONS(29),
    [anon_sym_LBRACK] = ACTIONS(13),
    [sym_stream] = ACTIONS(15),
    [sym_map] = ACTIONS(9),
    [sym_canon] = ACTIONS(15),
    [sym_canon_map] = ACTIONS(15),
    [anon_sym_true] = ACTIONS(17),
    [anon_sym_false] = ACTIONS(17),
    [anon_sym_PERCENTinit_peer_id_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTtimestamp_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTttl_PERCENT] = ACTIONS(19),
    [anon_sym_PERCENTlast_error_PERCENT] = ACTIONS(19),
    [anon_sym_COLONerror_COLON] = ACTIONS(19),
    [sym_string] = ACTIONS(31),
    [sym_number] = ACTIONS(31),
  },
  [5] = {
    [sym__operand] = STATE(5),
    [sym_triplet_function] = STATE(5),
    [sym_list] = STATE(5),
    [sym__value] = STATE(5),
    [sym_variable] = STATE(5),
    [sym_constant] = STATE(5),
    [aux_sym_instruction_repeat1] = STATE(5),
    [sym_identifier] = ACTIONS(33),
    [sym_comment] = ACTIONS(3),
    [anon_sym_LPAREN] = ACTIONS(36),
    [anon_sym_RPAREN] = ACTIONS(39),
    [anon_sym_LBRACK] = ACTIONS(41),
    [sym_stream] = ACTIONS(44),
    [sym_map] = ACTIONS(33),
    [sym_canon] = ACTIONS(44),
    [sym_canon_map] = ACTIONS(44),
    [anon_sym_true] = ACTIONS(47),
    [anon_sym_false] = ACTIONS(47),
    [anon_sym_PERCENTinit_peer_id_PERCENT] = ACTIONS(50),
    [anon_sym_PERCENTtimestamp_PERCENT] = ACTIONS(50),
    [anon_sym_PERCENTttl_PERCENT] = ACTIONS(50),
    [anon_sym_PERCENTlast_error_PERCENT] = ACTIONS(50),
    [anon_sym_COLONerror_COLON] = ACTIONS(50),
    [sym_string] = ACTIONS(53),
    [sym_number] = ACTIONS(53),
  },
};

static const uint16_t ts_small_parse_table[] = {
  [0] = 9,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(13), 1,
      anon_sym_LBRACK,
    ACTIONS(56), 1,
      anon_sym_RBRACK,
    ACTIONS(9), 2,
      sym_map,
      sym_identifier,
    ACTIONS(17), 2,
      anon_sym_true,
      anon_sym_false,
    ACTIONS(58), 2,
      sym_string,
      sym_number,
    ACTIONS(15), 3,
      sym_stream,
      sym_canon,
      sym_canon_map,
    ACTIONS(19), 5,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
    STATE(7), 5,
      sym_list,
      sym__value,
      sym_variable,
      sym_constant,
      aux_sym_list_repeat1,
  [41] = 9,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(13), 1,
      anon_sym_LBRACK,
    ACTIONS(60), 1,
      anon_sym_RBRACK,
    ACTIONS(9), 2,
      sym_map,
      sym_identifier,
    ACTIONS(17), 2,
      anon_sym_true,
      anon_sym_false,
    ACTIONS(62), 2,
      sym_string,
      sym_number,
    ACTIONS(15), 3,
      sym_stream,
      sym_canon,
      sym_canon_map,
    ACTIONS(19), 5,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
    STATE(8), 5,
      sym_list,
      sym__value,
      sym_variable,
      sym_constant,
      aux_sym_list_repeat1,
  [82] = 9,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(67), 1,
      anon_sym_LBRACK,
    ACTIONS(70), 1,
      anon_sym_RBRACK,
    ACTIONS(64), 2,
      sym_map,
      sym_identifier,
    ACTIONS(75), 2,
      anon_sym_true,
      anon_sym_false,
    ACTIONS(81), 2,
      sym_string,
      sym_number,
    ACTIONS(72), 3,
      sym_stream,
      sym_canon,
      sym_canon_map,
    ACTIONS(78), 5,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
    STATE(8), 5,
      sym_list,
      sym__value,
      sym_variable,
      sym_constant,
      aux_sym_list_repeat1,
  [123] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(88), 1,
      sym_lens,
    ACTIONS(84), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(86), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [152] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(94), 1,
      sym_lens,
    ACTIONS(90), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(92), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [181] = 8,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(13), 1,
      anon_sym_LBRACK,
    ACTIONS(9), 2,
      sym_map,
      sym_identifier,
    ACTIONS(17), 2,
      anon_sym_true,
      anon_sym_false,
    ACTIONS(96), 2,
      sym_string,
      sym_number,
    ACTIONS(15), 3,
      sym_stream,
      sym_canon,
      sym_canon_map,
    STATE(27), 4,
      sym_list,
      sym__value,
      sym_variable,
      sym_constant,
    ACTIONS(19), 5,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
  [218] = 8,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(13), 1,
      anon_sym_LBRACK,
    ACTIONS(9), 2,
      sym_map,
      sym_identifier,
    ACTIONS(17), 2,
      anon_sym_true,
      anon_sym_false,
    ACTIONS(21), 2,
      sym_string,
      sym_number,
    ACTIONS(15), 3,
      sym_stream,
      sym_canon,
      sym_canon_map,
    STATE(11), 4,
      sym_list,
      sym__value,
      sym_variable,
      sym_constant,
    ACTIONS(19), 5,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
  [255] = 3,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(98), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(100), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [281] = 3,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(102), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(104), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [307] = 3,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(106), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(108), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [333] = 3,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(110), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(112), 14,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      anon_sym_RBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [359] = 3,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(114), 4,
      sym_map,
      anon_sym_true,
      anon_sym_false,
      sym_identifier,
    ACTIONS(116), 13,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
      anon_sym_LBRACK,
      sym_stream,
      sym_canon,
      sym_canon_map,
      anon_sym_PERCENTinit_peer_id_PERCENT,
      anon_sym_PERCENTtimestamp_PERCENT,
      anon_sym_PERCENTttl_PERCENT,
      anon_sym_PERCENTlast_error_PERCENT,
      anon_sym_COLONerror_COLON,
      sym_string,
      sym_number,
  [384] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(118), 14,
      anon_sym_ap,
      anon_sym_call,
      anon_sym_canon,
      anon_sym_fail,
      anon_sym_fold,
      anon_sym_match,
      anon_sym_mismatch,
      anon_sym_never,
      anon_sym_new,
      anon_sym_next,
      anon_sym_null,
      anon_sym_par,
      anon_sym_seq,
      anon_sym_xor,
  [404] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(122), 1,
      anon_sym_LPAREN,
    ACTIONS(120), 2,
      ts_builtin_sym_end,
      anon_sym_RPAREN,
    STATE(19), 2,
      sym_instruction,
      aux_sym_source_file_repeat1,
  [419] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(7), 1,
      anon_sym_LPAREN,
    ACTIONS(29), 1,
      anon_sym_RPAREN,
    STATE(19), 2,
      sym_instruction,
      aux_sym_source_file_repeat1,
  [433] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(7), 1,
      anon_sym_LPAREN,
    ACTIONS(125), 1,
      ts_builtin_sym_end,
    STATE(19), 2,
      sym_instruction,
      aux_sym_source_file_repeat1,
  [447] = 4,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(7), 1,
      anon_sym_LPAREN,
    ACTIONS(127), 1,
      anon_sym_RPAREN,
    STATE(19), 2,
      sym_instruction,
      aux_sym_source_file_repeat1,
  [461] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(129), 3,
      ts_builtin_sym_end,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
  [470] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(131), 3,
      ts_builtin_sym_end,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
  [479] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(133), 3,
      ts_builtin_sym_end,
      anon_sym_LPAREN,
      anon_sym_RPAREN,
  [488] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(135), 1,
      ts_builtin_sym_end,
  [495] = 2,
    ACTIONS(3), 1,
      sym_comment,
    ACTIONS(137), 1,
      anon_sym_RPAREN,
};

static const uint32_t ts_small_parse_table_map[] = {
  [SMALL_STATE(6)] = 0,
  [SMALL_STATE(7)] = 41,
  [SMALL_STATE(8)] = 82,
  [SMALL_STATE(9)] = 123,
  [SMALL_STATE(10)] = 152,
  [SMALL_STATE(11)] = 181,
  [SMALL_STATE(12)] = 218,
  [SMALL_STATE(13)] = 255,
  [SMALL_STATE(14)] = 281,
  [SMALL_STATE(15)] = 307,
  [SMALL_STATE(16)] = 333,
  [SMALL_STATE(17)] = 359,
  [SMALL_STATE(18)] = 384,
  [SMALL_STATE(19)] = 404,
  [SMALL_STATE(20)] = 419,
  [SMALL_STATE(21)] = 433,
  [SMALL_STATE(22)] = 447,
  [SMALL_STATE(23)] = 461,
  [SMALL_STATE(24)] = 470,
  [SMALL_STATE(25)] = 479,
  [SMALL_STATE(26)] = 488,
  [SMALL_STATE(27)] = 495,
};

static const TSParseActionEntry ts_parse_actions[] = {
  [0] = {.entry = {.count = 0, .reusable = false}},
  [1] = {.entry = {.count = 1, .reusable = false}}, RECOVER(),
  [3] = {.entry = {.count = 1, .reusable = true}}, SHIFT_EXTRA(),
  [5] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_source_file, 0, 0, 0),
  [7] = {.entry = {.count = 1, .reusable = true}}, SHIFT(18),
  [9] = {.entry = {.count = 1, .reusable = false}}, SHIFT(10),
  [11] = {.entry = {.count = 1, .reusable = false}}, SHIFT(3),
  [13] = {.entry = {.count = 1, .reusable = true}}, SHIFT(6),
  [15] = {.entry = {.count = 1, .reusable = true}}, SHIFT(10),
  [17] = {.entry = {.count = 1, .reusable = false}}, SHIFT(9),
  [19] = {.entry = {.count = 1, .reusable = true}}, SHIFT(9),
  [21] = {.entry = {.count = 1, .reusable = true}}, SHIFT(11),
  [23] = {.entry = {.count = 1, .reusable = true}}, SHIFT(2),
  [25] = {.entry = {.count = 1, .reusable = true}}, SHIFT(23),
  [27] = {.entry = {.count = 1, .reusable = true}}, SHIFT(4),
  [29] = {.entry = {.count = 1, .reusable = true}}, SHIFT(24),
  [31] = {.entry = {.count = 1, .reusable = true}}, SHIFT(5),
  [33] = {.entry = {.count = 2, .reusable = false}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(10),
  [36] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(12),
  [39] = {.entry = {.count = 1, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0),
  [41] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(6),
  [44] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(10),
  [47] = {.entry = {.count = 2, .reusable = false}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(9),
  [50] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(9),
  [53] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_instruction_repeat1, 2, 0, 0), SHIFT_REPEAT(5),
  [56] = {.entry = {.count = 1, .reusable = true}}, SHIFT(14),
  [58] = {.entry = {.count = 1, .reusable = true}}, SHIFT(7),
  [60] = {.entry = {.count = 1, .reusable = true}}, SHIFT(15),
  [62] = {.entry = {.count = 1, .reusable = true}}, SHIFT(8),
  [64] = {.entry = {.count = 2, .reusable = false}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(10),
  [67] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(6),
  [70] = {.entry = {.count = 1, .reusable = true}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0),
  [72] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(10),
  [75] = {.entry = {.count = 2, .reusable = false}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(9),
  [78] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(9),
  [81] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_list_repeat1, 2, 0, 0), SHIFT_REPEAT(8),
  [84] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_constant, 1, 0, 0),
  [86] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_constant, 1, 0, 0),
  [88] = {.entry = {.count = 1, .reusable = true}}, SHIFT(13),
  [90] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_variable, 1, 0, 0),
  [92] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_variable, 1, 0, 0),
  [94] = {.entry = {.count = 1, .reusable = true}}, SHIFT(16),
  [96] = {.entry = {.count = 1, .reusable = true}}, SHIFT(27),
  [98] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_constant, 2, 0, 0),
  [100] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_constant, 2, 0, 0),
  [102] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_list, 2, 0, 0),
  [104] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_list, 2, 0, 0),
  [106] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_list, 3, 0, 0),
  [108] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_list, 3, 0, 0),
  [110] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_variable, 2, 0, 0),
  [112] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_variable, 2, 0, 0),
  [114] = {.entry = {.count = 1, .reusable = false}}, REDUCE(sym_triplet_function, 4, 0, 2),
  [116] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_triplet_function, 4, 0, 2),
  [118] = {.entry = {.count = 1, .reusable = true}}, SHIFT(3),
  [120] = {.entry = {.count = 1, .reusable = true}}, REDUCE(aux_sym_source_file_repeat1, 2, 0, 0),
  [122] = {.entry = {.count = 2, .reusable = true}}, REDUCE(aux_sym_source_file_repeat1, 2, 0, 0), SHIFT_REPEAT(18),
  [125] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_source_file, 1, 0, 0),
  [127] = {.entry = {.count = 1, .reusable = true}}, SHIFT(25),
  [129] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_instruction, 3, 0, 1),
  [131] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_instruction, 4, 0, 1),
  [133] = {.entry = {.count = 1, .reusable = true}}, REDUCE(sym_instruction, 5, 0, 1),
  [135] = {.entry = {.count = 1, .reusable = true}},  ACCEPT_INPUT(),
  [137] = {.entry = {.count = 1, .reusable = true}}, SHIFT(17),
};

#ifdef __cplusplus
extern "C" {
#endif
#ifdef TREE_SITTER_HIDE_SYMBOLS
#define TS_PUBLIC
#elif defined(_WIN32)
#define TS_PUBLIC __declspec(dllexport)
#else
#define TS_PUBLIC __attribute__((visibility("default")))
#endif

TS_PUBLIC const TSLanguage *tree_sitter_air(void) {
  static const TSLanguage language = {
    .version = LANGUAGE_VERSION,
    .symbol_count = SYMBOL_COUNT,
    .alias_count = ALIAS_COUNT,
    .token_count = TOKEN_COUNT,
    .external_token_count = EXTERNAL_TOKEN_COUNT,
    .state_count = STATE_COUNT,
    .large_state_count = LARGE_STATE_COUNT,
    .production_id_count = PRODUCTION_ID_COUNT,
    .field_count = FIELD_COUNT,
    .max_alias_sequence_length = MAX_ALIAS_SEQUENCE_LENGTH,
    .parse_table = &ts_parse_table[0][0],
    .small_parse_table = ts_small_parse_table,
    .small_parse_table_map = ts_small_parse_table_map,
    .parse_actions = ts_parse_actions,
    .symbol_names = ts_symbol_names,
    .field_names = ts_field_names,
    .field_map_slices = ts_field_map_slices,
    .field_map_entries = ts_field_map_entries,
    .symbol_metadata = ts_symbol_metadata,
    .public_symbol_map = ts_symbol_map,
    .alias_map = ts_non_terminal_alias_map,
    .alias_sequences = &ts_alias_sequences[0][0],
    .lex_modes = ts_lex_modes,
    .lex_fn = ts_lex,
    .keyword_lex_fn = ts_lex_keywords,
    .keyword_capture_token = sym_identifier,
    .primary_state_ids = ts_primary_state_ids,
  };
  return &language;
}
#ifdef __cplusplus
}
#endif
