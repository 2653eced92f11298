// WASI's imports, of which Envoy has some: the same.
module.exports = require('./env.js');
