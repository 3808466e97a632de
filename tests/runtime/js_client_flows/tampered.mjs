// A relay that lies: what it changed has to be refused, what it left alone accepted. The text says what the relay does.
const script = `
(seq
 (seq
  (call %init_peer_id% ("getDataSrv" "-relay-") [] relay)
  (call %init_peer_id% ("getDataSrv" "lie") [] lie)
 )
 (seq
  (call relay ("op" "identity") [lie] answer)
  (call %init_peer_id% ("callbackSrv" "response") [answer])
 )
)`;

export default ({ eq, has }) => {
  const honest = {
    name: "honest",
    about: "data that were not changed",
    async run(ctx) {
      eq(await ctx.run(await ctx.client("a"), script, { args: { lie: "honest" } }), "honest");
    },
  };
  const lies = ["another value", "another value, hashed", "another argument, hashed", "another signature", "no signature", "a state more"];
  return [honest, ...lies.map((lie) => ({
    name: lie,
    about: "changed data",
    async run(ctx) {
      let told = "";
      try {
        told = `accepted ${JSON.stringify(await ctx.run(await ctx.client("a"), script, { args: { lie }, ttl: 3000 }))}`;
      } catch (error) {
        told = error.message;
      }
      has(told, "expired"); // js-client drops what its interpreter refuses, and goes on waiting
    },
  }))];
};
