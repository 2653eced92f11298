// The older revisions' sessions: a server and a transport each, until the client ends them.
'use strict';

const { randomUUID } = require('node:crypto');
const { Memory } = require('./offer.cjs');

/** An Express handler; `connect` gives a transport, made with these options, its server. */
module.exports = function sessions(connect, answers) {
    const transports = new Map();
    return async (request, response) => {
        const id = request.headers['mcp-session-id'];
        let transport = transports.get(id);
        if (!transport && id !== undefined) {
            const error = { code: -32001, message: 'Session not found' };
            return response.status(404).json({ jsonrpc: '2.0', error, id: null });
        }
        transport ??= await connect({
            sessionIdGenerator: randomUUID,
            enableJsonResponse: answers === 'json',
            eventStore: new Memory(),
            retryInterval: 100,
            onsessioninitialized: (given) => void transports.set(given, transport),
            onsessionclosed: (given) => void transports.delete(given),
        });
        await transport.handleRequest(request, response, request.body);
    };
};
