// The official TypeScript client, version 1, told what to do line by line on its standard input, until that ends.
'use strict';

const { Client } = require('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = require('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { ElicitRequestSchema } = require('@modelcontextprotocol/sdk/types.js');
const { asked, listen } = require('./lines.cjs');

let client;

const does = {
    async connect({ url, headers, answers: answering }) {
        const capabilities = answering ? { elicitation: { form: {}, url: {} } } : {};
        client = new Client({ name: 'person', version: '1' }, { capabilities });
        if (answering) client.setRequestHandler(ElicitRequestSchema, asked);
        const transport = new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
        await client.connect(transport);
        return { revision: transport.protocolVersion };
    },
    call: async ({ name, arguments: given }) => ({ result: await client.callTool({ name, arguments: given }), progress: [] }),
    list: ({ params }) => client.listTools(params),
};

listen(does, () => client?.close());
