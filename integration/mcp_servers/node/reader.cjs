// What a server in Node reads of a body: JSON.parse. Told bodies in base64, a line each, it tells a line of JSON each: what
// it read, or null; that too where it is nested too deep to be told.
'use strict';

const { createInterface } = require('node:readline');

function read(body) {
    try {
        const { id, method, params } = JSON.parse(body.toString('utf8'));
        return JSON.stringify({ id, method, name: params?.name, arguments: params?.arguments });
    } catch {
        return 'null';
    }
}

createInterface({ input: process.stdin }).on('line', (line) => console.log(read(Buffer.from(line, 'base64'))));
