// What an application does with modules made by `aquac build --target js`: checks for the runner of the js-client kit.
// a and b are clients of the first relay, c of the second. ./flows.js is made from flows.aqua by the test.
import * as flows from "./flows.js";

export default ({ eq, has, ok }) => {
  async function cast(ctx) {
    const [a, b, c] = [await ctx.client("a"), await ctx.client("b"), await ctx.client("c", 2)];
    for (const [name, peer] of [["b", b], ["c", c]]) {
      flows.registerProbe(peer, {
        note: (text) => `${text}>${name}`,
        fail: (text) => { throw new Error(`${name} cannot: ${text}`); },
        see: (values) => JSON.stringify(values),
        move: (point) => ({ x: point.x + 1, tag: point.tag === null ? name : null }),
      });
    }
    return { a, b: b.getPeerId(), c: c.getPeerId(), relay: ctx.relay2Id, ttl: { ttl: ctx.ttl } };
  }
  const check = (name, about, run) => ({
    name, about, needs: ["relay2"], async run(ctx) { return run(await cast(ctx)); },
  });
  return [
    check("on_my_relay", "a function of the relay", async ({ a, ttl }) =>
      eq(await flows.on_my_relay(a, "x", ttl), "relay:x")),
    check("ask", "a function of another client", async ({ a, b, ttl }) =>
      eq(await flows.ask(a, b, "x", ttl), "x>b")),
    check("ask_beyond", "a function of a client of another relay", async ({ a, c, relay, ttl }) =>
      eq(await flows.ask_beyond(a, relay, c, "x", ttl), "x>c")),
    check("tour", "peers of both kinds in turn", async ({ a, b, c, relay, ttl }) =>
      eq(await flows.tour(a, b, relay, c, "x", ttl), "x>1>b>2>c>1")),
    check("tour_back", "and back the same way", async ({ a, b, c, relay, ttl }) =>
      eq(await flows.tour_back(a, b, relay, c, "x", ttl), ["x>1>b", "x>1>b>c>2>b>1"])),
    check("gather", "all at once, joined", async ({ a, b, c, relay, ttl }) => {
      for (let n = 0; n < 10; n++) {
        const all = await flows.gather(a, b, relay, c, `${n}`, ttl);
        eq(all.sort(), [`${n}>1`, `${n}>2`, `${n}>b`, `${n}>c`]);
      }
    }),
    check("agree", "what one has fixed is the same for all", async ({ a, b, c, relay, ttl }) => {
      for (let n = 0; n < 10; n++) {
        const seen = await flows.agree(a, b, relay, c, `${n}`, ttl);
        eq(seen.length, 4);
        for (const one of seen) eq(one, seen[0]);
        eq(JSON.parse(seen[0]).sort(), [`${n}>1`, `${n}>2`, `${n}>b`]);
      }
    }),
    check("error_there", "an error far away", async ({ a, c, relay, ttl }) =>
      has(await flows.error_there(a, relay, c, "x", ttl), "c cannot: x")),
    check("call_back", "functions of the caller", async ({ a, c, relay, ttl }) =>
      eq(await flows.call_back(a, relay, c, "x", (text) => `<${text}>`, ttl), "<<x>>c>")),
    check("points", "structures and options", async ({ a, c, relay, ttl }) => {
      const moved = await flows.points(a, relay, c, [{ x: 1, tag: null }, { x: 2, tag: "t" }], ttl);
      eq(moved, [{ x: 2, tag: "c" }, { x: 3, tag: null }]);
    }),
    check("many", "a hundred at once", async ({ a, b, c, relay, ttl }) => {
      const asked = [];
      for (let n = 0; n < 100; n++) asked.push(flows.ask_beyond(a, relay, c, `${n}`, ttl));
      const answers = await Promise.all(asked);
      answers.forEach((answer, n) => eq(answer, `${n}>c`));
      ok(b !== c, "two clients");
    }),
  ];
};
