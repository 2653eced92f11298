// The official TypeScript client, version 2, told what to do line by line on its standard input, until that ends.
'use strict';

const { Client, StreamableHTTPClientTransport } = require('@modelcontextprotocol/client');
const { asked, listen } = require('./lines.cjs');

const MODES = { auto: { mode: 'auto' }, modern: { mode: { pin: '2026-07-28' } }, legacy: { mode: 'legacy' } };
const ASKED = ['elicitation/create', 'sampling/createMessage', 'roots/list'];
const LISTS = { tools: 'listTools', prompts: 'listPrompts', resources: 'listResources' };

let client;

const does = {
    async connect({ url, era, headers, answers: answering, revisions }) {
        client = new Client(
            { name: 'person', version: '1' },
            {
                versionNegotiation: MODES[era],
                capabilities: answering ? { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} } : {},
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

listen(does, () => client?.close());
