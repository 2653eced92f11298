// The reference server `server-everything` as it is, but on loopback and telling its port: `node everything.cjs`.
'use strict';

const net = require('node:net');
const { pathToFileURL } = require('node:url');

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (_port, ready) {
    return listen.call(this, Number(process.argv[2] ?? 0), '127.0.0.1', () => {
        ready();
        console.log(`listening on ${this.address().port}`);
    });
};
const entry = require.resolve('@modelcontextprotocol/server-everything/dist/transports/streamableHttp.js');
void import(pathToFileURL(entry));
