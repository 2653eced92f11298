// The official TypeScript client, version 2, told what to do line by line on its standard input, until that ends.
'use strict';

const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
const { createInterface } = require('node:readline');

const MODES = { auto: { mode: 'auto' }, modern: { mode: { pin: '2026-07-28' } }, legacy: { mode: 'legacy' } };
const ASKED = ['elicitation/create', 'sampling/createMessage', 'roots/list'];
const LISTS = { tools: 'listTools', prompts: 'listPrompts', resources: 'listResources' };
const tell = (line) => console.log(JSON.stringify(line));

let client;
const answers = []; // what waits for the answer of the person at the client

const does = {
    async connect({ url, era, headers, answers: answering, revisions }) {
        client = new Client(
            { name: 'person', version: '1' },
            {
                versionNegotiation: MODES[era],
                capabilities: answering ? { elicitation: { form: {} }, sampling: {}, roots: {} } : {},
                ...(revisions.length ? { supportedProtocolVersions: revisions } : {}),
            },
        );
        if (answering) for (const method of ASKED) client.setRequestHandler(method, asked);
        const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
        await client.connect(transport);
        return { revision: client.getNegotiatedProtocolVersion() };
    },
    async call({ name, arguments: given }) {
        const progress = [];
        const onprogress = (step) => progress.push(step.progress);
        return { result: await client.callTool({ name, arguments: given }, { onprogress }), progress };
    },
    prompt: ({ name, arguments: given }) => client.getPrompt({ name, arguments: given }),
    read: ({ uri }) => client.readResource({ uri }),
    list: ({ what, params }) => client[LISTS[what]](params, { cacheMode: 'refresh' }),
};

function asked({ method, params = {} }) {
    tell({ asked: method, params });
    return new Promise((answer) => answers.push(answer));
}

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
    Promise.resolve(client?.close()).finally(() => process.exit(0));
});
