const marine = @import("marine.zig");

export fn greet(name: ?[*]u8, size: u32) void {
    const hello = "Hello, ";
    const text = marine.alloc(hello.len + size).?;
    @memcpy(text[0..hello.len], hello);
    @memcpy(text[hello.len..][0..size], marine.sliceOf(name, size));
    marine.free(name);
    marine.giveBack(text, hello.len + size);
}

export fn words(pointer: ?[*]u8, size: u32) void {
    const text = marine.sliceOf(pointer, size);
    defer marine.free(pointer);
    var count: u32 = 0;
    for (text, 0..) |byte, i| {
        if (byte != ' ' and (i == 0 or text[i - 1] == ' ')) count += 1;
    }
    const memory = marine.alloc(count * @sizeOf(marine.Text));
    if (memory) |bytes| {
        const found: [*]align(1) marine.Text = @ptrCast(bytes);
        var at: u32 = 0;
        for (found[0..count]) |*word| {
            while (text[at] == ' ') at += 1;
            const start = at;
            while (at < size and text[at] != ' ') at += 1;
            word.* = marine.Text.of(text[start..at]);
            marine.keep(word.bytes);
        }
    }
    marine.giveBack(memory, count);
}

const Stats = extern struct { count: u32 align(1), mean: f64 align(1) };

export fn stats(values: ?[*]f64, count: u32) void {
    var sum: f64 = 0;
    if (values) |some| {
        for (some[0..count]) |value| sum += value;
    }
    marine.free(values);
    const mean = if (count == 0) 0 else sum / @as(f64, @floatFromInt(count));
    marine.giveBackRecord(Stats{ .count = count, .mean = mean });
}

var count_of_visits: u64 = 0;

export fn visits() u64 {
    count_of_visits += 1;
    return count_of_visits;
}

export fn caller() void {
    const call = marine.callParameters();
    defer call.deinit();
    marine.giveBackText(call.particle.init_peer_id.slice());
}
