// An MCP server on version 1 of the official TypeScript SDK, in the revisions with sessions: `node server-v1.cjs sse`.
'use strict';

const { Server } = require('@modelcontextprotocol/sdk/server/index.js');
const { createMcpExpressApp } = require('@modelcontextprotocol/sdk/server/express.js');
const { StreamableHTTPServerTransport } = require('@modelcontextprotocol/sdk/server/streamableHttp.js');
const types = require('@modelcontextprotocol/sdk/types.js');
const { CAPABILITIES, HOSTS, Offering, Refused } = require('./offer.cjs');
const sessions = require('./sessions.cjs');

const answers = process.argv[2];
const offering = new Offering();

const REQUESTS = {
    'tools/list': types.ListToolsRequestSchema,
    'tools/call': types.CallToolRequestSchema,
    'prompts/list': types.ListPromptsRequestSchema,
    'prompts/get': types.GetPromptRequestSchema,
    'resources/list': types.ListResourcesRequestSchema,
    'resources/templates/list': types.ListResourceTemplatesRequestSchema,
    'resources/read': types.ReadResourceRequestSchema,
    'resources/subscribe': types.SubscribeRequestSchema,
    'resources/unsubscribe': types.UnsubscribeRequestSchema,
    'completion/complete': types.CompleteRequestSchema,
};
const RESULTS = {
    'elicitation/create': types.ElicitResultSchema,
    'sampling/createMessage': types.CreateMessageResultSchema,
    'roots/list': types.ListRootsResultSchema,
};

function server() {
    const made = new Server({ name: 'typescript-sdk-1', version: '1' }, { capabilities: CAPABILITIES });
    for (const [method, handle] of Object.entries(offering.handlers())) {
        made.setRequestHandler(REQUESTS[method], async (request, extra) => {
            try {
                return await handle(request.params, call(made, extra));
            } catch (error) {
                throw error instanceof Refused ? new types.McpError(error.code, error.message, error.data) : error;
            }
        });
    }
    return made;
}

function call(made, extra) {
    const log = (data) => ({ method: 'notifications/message', params: { level: 'info', data } });
    return {
        modern: false,
        capabilities: made.getClientCapabilities() ?? {},
        responses: undefined,
        round: 0,
        progressToken: extra._meta?.progressToken,
        log: (line) => extra.sendNotification(log(line)),
        notify: (notification) => extra.sendNotification(notification),
        request: (request) => extra.sendRequest(request, RESULTS[request.method]),
        hangUp: () => extra.closeSSEStream?.(),
        change: (what) => made.notification({ method: `notifications/${what}/list_changed` }),
    };
}

const app = createMcpExpressApp({ allowedHosts: HOSTS });
app.all('/test', (request, response) => offering.side(request, response, () => {}));
app.all('/mcp', sessions(async (options) => {
    const transport = new StreamableHTTPServerTransport(options);
    await server().connect(transport);
    return transport;
}, answers));
const listening = app.listen(Number(process.argv[3] ?? 0), '127.0.0.1', () => console.log(`listening on ${listening.address().port}`));
