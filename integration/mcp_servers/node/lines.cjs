// A client that is told what to do line by line on its standard input, until that ends.
'use strict';

const { createInterface } = require('node:readline');

const tell = (line) => console.log(JSON.stringify(line));
const answers = []; // what waits for the answer of the person at the client

// A person is asked.
function asked({ method, params = {} }) {
    tell({ asked: method, params });
    return new Promise((answer) => answers.push(answer));
}

// What it does, by name; and how it ends.
function listen(does, end) {
    async function told(line) {
        if ('answer' in line) return answers.shift()(line.answer);
        try {
            tell({ done: await does[line.do](line) });
        } catch (error) {
            tell({ refused: { code: error.code ?? null, message: error.message, data: error.data } });
        }
    }
    const lines = createInterface({ input: process.stdin });
    lines.on('line', (line) => void told(JSON.parse(line)));
    lines.on('close', () => {
        Promise.resolve(end()).finally(() => process.exit(0));
    });
}

module.exports = { asked, listen };
