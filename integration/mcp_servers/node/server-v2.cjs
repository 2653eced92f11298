// An MCP server on version 2 of the official TypeScript SDK, in all revisions it speaks: `node server-v2.cjs sse`.
// This way of using it compares `Mcp-Method` and `Mcp-Name` with the body, but not `Mcp-Param-*` with the arguments.
'use strict';

const { createMcpExpressApp } = require('@modelcontextprotocol/express');
const { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } = require('@modelcontextprotocol/node');
const { ProtocolError, Server, createMcpHandler, createRequestStateCodec, isLegacyRequest } = require('@modelcontextprotocol/server');
const { randomBytes } = require('node:crypto');
const { CAPABILITIES, HOSTS, Offering, Refused } = require('./offer.cjs');
const sessions = require('./sessions.cjs');

const answers = process.argv[2];
const offering = new Offering();
const states = createRequestStateCodec({ key: randomBytes(32) });
const hint = { ttlMs: 1000, cacheScope: 'public' };
const cached = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list', 'resources/read'];
const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

function server(modern) {
    const made = new Server(
        { name: 'typescript-sdk-2', version: '1' },
        {
            capabilities: CAPABILITIES,
            cacheHints: Object.fromEntries(cached.map((method) => [method, hint])),
            requestState: { verify: states.verify },
        },
    );
    for (const [method, handle] of Object.entries(offering.handlers())) {
        made.setRequestHandler(method, async (request, ctx) => {
            try {
                return await handle(request.params, call(made, ctx, modern));
            } catch (error) {
                throw error instanceof Refused ? new ProtocolError(error.code, error.message, error.data) : error;
            }
        });
    }
    return made;
}

function call(made, ctx, modern) {
    return {
        modern,
        capabilities: (modern ? ctx.mcpReq.envelope?.[CLIENT_CAPABILITIES] : made.getClientCapabilities()) ?? {},
        responses: ctx.mcpReq.inputResponses,
        round: ctx.mcpReq.requestState() ?? 0,
        progressToken: ctx.mcpReq._meta?.progressToken,
        log: (line) => ctx.mcpReq.log('info', line),
        notify: (notification) => ctx.mcpReq.notify(notification),
        request: (request) => ctx.mcpReq.send(request),
        hangUp: () => ctx.http?.closeSSE?.(),
        mint: (round) => states.mint(round),
        change: async (what) => {
            if (modern) stateless.notify[`${what}Changed`]();
            else await made.notification({ method: `notifications/${what}/list_changed` });
        },
    };
}

const stateless = createMcpHandler(() => server(true), { legacy: 'reject', responseMode: answers === 'json' ? 'json' : 'auto' });
const modern = toNodeHandler(stateless);
const legacy = sessions(async (options) => {
    const transport = new NodeStreamableHTTPServerTransport(options);
    await server(false).connect(transport);
    return transport;
}, answers);

const app = createMcpExpressApp({ jsonLimit: '8mb', allowedHosts: HOSTS });
app.all('/test', (request, response) => offering.side(request, response, () => stateless.notify.toolsChanged()));
app.all('/mcp', async (request, response) => {
    const old = await isLegacyRequest(await toWebRequest(request, request.body), request.body);
    await (old ? legacy : modern)(request, response, request.body);
});
const listening = app.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => console.log(`listening on ${listening.address().port}`));
