// A client that is a process: told what to do line by line on its standard input, until that ends; see ../lines.py.
'use strict';

const { readFileSync } = require('node:fs');
const { createInterface } = require('node:readline');
const { Agent, fetch } = require('undici');

const tell = (line) => console.log(JSON.stringify(line));

// `fetch` that shows what the person at the client has: headers, and a certificate.
function fetching({ headers, authority, certificate }) {
    const pem = certificate && readFileSync(certificate);
    const connect = authority ? { ca: readFileSync(authority), cert: pem, key: pem } : {};
    const dispatcher = new Agent({ connect });
    return (url, how = {}) => {
        const all = new Headers(how.headers);
        for (const [name, value] of Object.entries(headers)) all.set(name, value);
        return fetch(url, { ...how, headers: Object.fromEntries(all), dispatcher });
    };
}

async function told(does, { do: what, ...line }) {
    try {
        let done = await does[what](line);
        if (done?.[Symbol.asyncIterator]) {
            for await (const event of done) tell({ event });
            done = null;
        }
        tell({ done: done ?? null });
    } catch (error) {
        tell({ refused: { kind: error.constructor.name, message: error.message } });
    }
}

function main(does) {
    let last = Promise.resolve();
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => (last = last.then(() => told(does, JSON.parse(line)))));
    lines.on('close', () => process.exit(0));
}

module.exports = { fetching, main };
