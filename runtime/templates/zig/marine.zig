//! The Zig side of a Marine module: memory, results, and what the host offers.
//! This file is part of this project: change it as you like.
//!
//! Arguments arrive as the host lays them out: numbers as they are, a text or an array as a pointer and a count, a record as a
//! pointer to its fields without gaps. Whoever is called owns them and frees them. A text or an array of nothing may be null.
//! Results that are no numbers are given to `giveBack…` and live until the host has copied them. Calling a function of another
//! module (`extern "module" fn`) with a text, an array or a record frees what was kept before: call first, keep afterwards.
const std = @import("std");

/// For whatever the module needs for itself.
pub const allocator = std.heap.wasm_allocator;

/// In front of every block that the host sees: its size in words and, once it is a result, the next result.
const Block = extern struct { words: u32, next: ?*Block };

var results: ?*Block = null;
var result_pointer: u32 = 0;
var result_size: u32 = 0;

/// Memory for the host to read: an argument, a result or a part of one. Null for nothing.
pub fn alloc(size: u32) ?[*]u8 {
    if (size == 0) return null;
    // One byte more than wanted: the host cannot reach the last byte of a memory.
    const total = std.math.add(u32, size, @sizeOf(Block) + 1) catch @trap();
    const words = allocator.alloc(u64, total / 8 + 1) catch @trap();
    const block: *Block = @ptrCast(words.ptr);
    block.* = .{ .words = @intCast(words.len), .next = null };
    return @as([*]u8, @ptrCast(words.ptr)) + @sizeOf(Block);
}

fn blockOf(memory: anytype) *Block {
    return @ptrFromInt(@intFromPtr(memory) - @sizeOf(Block));
}

/// Free an argument, or what `alloc` gave.
pub fn free(memory: anytype) void {
    if (@intFromPtr(memory) == 0) return;
    const block = blockOf(memory);
    const words: [*]u64 = @ptrCast(@alignCast(block));
    allocator.free(words[0..block.words]);
}

/// Free this block when the host has copied the result: for every block that the result points to.
pub fn keep(memory: anytype) void {
    if (@intFromPtr(memory) == 0) return;
    const block = blockOf(memory);
    block.next = results;
    results = block;
}

/// Make a block the result: an array with so many elements, a text with so many bytes, a record with 0.
pub fn giveBack(memory: anytype, count: u32) void {
    keep(memory);
    result_pointer = @intCast(@intFromPtr(memory));
    result_size = count;
}

/// A text, or bytes, within a record or an array.
pub const Text = extern struct {
    bytes: ?[*]u8 align(1),
    size: u32 align(1),

    /// A copy for the host.
    pub fn of(text: []const u8) Text {
        const bytes = alloc(@intCast(text.len));
        if (bytes) |to| @memcpy(to[0..text.len], text);
        return .{ .bytes = bytes, .size = @intCast(text.len) };
    }

    pub fn slice(text: Text) []u8 {
        return sliceOf(text.bytes, text.size);
    }
};

/// The bytes of a text argument, or the elements of an array.
pub fn sliceOf(pointer: ?[*]u8, size: u32) []u8 {
    return if (pointer) |some| some[0..size] else &.{};
}

/// Make a copy of a text the result.
pub fn giveBackText(text: []const u8) void {
    const copy = Text.of(text);
    giveBack(copy.bytes, copy.size);
}

/// Make a record the result. Its type is an `extern struct` whose fields are all `align(1)`.
pub fn giveBackRecord(value: anytype) void {
    const size = @sizeOf(@TypeOf(value));
    const memory = alloc(size).?;
    @memcpy(memory[0..size], std.mem.asBytes(&value));
    giveBack(memory, 0);
}

// ── functions the host calls ─────────────────────────────────────────────────────────────────────────────────────────

export fn allocate(count: u32, kind: u32) ?[*]u8 {
    const sizes = [_]u32{ 1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8 };
    if (kind >= sizes.len) return null;
    return alloc(std.math.mul(u32, count, sizes[kind]) catch @trap());
}

export fn release_objects() void {
    while (results) |block| {
        results = block.next;
        free(@as(*u8, @ptrFromInt(@intFromPtr(block) + @sizeOf(Block))));
    }
}

export fn get_result_ptr() u32 {
    return result_pointer;
}

export fn get_result_size() u32 {
    return result_size;
}

export fn set_result_ptr(pointer: u32) void {
    result_pointer = pointer;
}

export fn set_result_size(size: u32) void {
    result_size = size;
}

// ── the host ─────────────────────────────────────────────────────────────────────────────────────────────────────────

extern "__marine_host_api_v3" fn log_utf8_string(level: u32, target: u32, text: [*]const u8, size: u32) void;
extern "__marine_host_api_v3" fn get_call_parameters() void;

pub const Level = enum(u32) { err = 1, warn, info, debug, trace };

/// Log a text. A module that uses this loads only where its logger is enabled.
pub fn log(level: Level, text: []const u8) void {
    log_utf8_string(@intFromEnum(level), 0, text.ptr, @intCast(text.len));
}

pub const Particle = extern struct {
    id: Text align(1),
    init_peer_id: Text align(1),
    timestamp: u64 align(1),
    ttl: u32 align(1),
    script: Text align(1),
    signature: Text align(1),
    token: Text align(1),
};

pub const Tetraplet = extern struct {
    peer_pk: Text align(1),
    service_id: Text align(1),
    function_name: Text align(1),
    lens: Text align(1),
};

/// Of one argument: where its values come from.
pub const Origins = extern struct { items: ?[*]*Tetraplet align(1), count: u32 align(1) };

pub const Call = extern struct {
    particle: *Particle align(1),
    service_id: Text align(1),
    service_creator_peer_id: Text align(1),
    host_id: Text align(1),
    worker_id: Text align(1),
    tetraplets: ?[*]Origins align(1),
    tetraplet_count: u32 align(1),

    /// Free everything.
    pub fn deinit(call: *Call) void {
        if (call.tetraplets) |groups| {
            for (groups[0..call.tetraplet_count]) |group| {
                const items = group.items orelse continue;
                for (items[0..group.count]) |one| {
                    freeTexts(.{ one.peer_pk, one.service_id, one.function_name, one.lens });
                    free(one);
                }
                free(items);
            }
            free(groups);
        }
        const particle = call.particle;
        freeTexts(.{ particle.id, particle.init_peer_id, particle.script, particle.signature, particle.token });
        free(particle);
        freeTexts(.{ call.service_id, call.service_creator_peer_id, call.host_id, call.worker_id });
        free(call);
    }
};

fn freeTexts(texts: anytype) void {
    inline for (texts) |text| {
        if (text.bytes) |bytes| free(bytes);
    }
}

/// Who calls, and where the arguments come from. `deinit` it when it is read.
pub fn callParameters() *Call {
    get_call_parameters();
    return @ptrFromInt(result_pointer);
}
