// Envoy's imports for tests on wasm32: the pure tests call none of them, and one that does fails by name.
module.exports = new Proxy({}, {
  get: (_, name) => () => {
    throw new Error(`${String(name)}: there is no Envoy in this test`);
  },
});
