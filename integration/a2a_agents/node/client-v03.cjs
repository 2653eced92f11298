// The last official JavaScript client that speaks A2A 0.3 and nothing else, told what to do line by line: see lines.cjs.
'use strict';

const {
    ClientFactory,
    DefaultAgentCardResolver,
    JsonRpcTransportFactory,
    RestTransportFactory,
} = require('@a2a-js/sdk-0.3/client');
const { fetching, main } = require('./lines.cjs');

const TRANSPORTS = { JSONRPC: JsonRpcTransportFactory, 'HTTP+JSON': RestTransportFactory };
let client;

const sent = ({ message, text, context, task, at_once, push }) => ({
    message: {
        kind: 'message',
        messageId: message,
        role: 'user',
        parts: [{ kind: 'text', text }],
        ...(context ? { contextId: context } : {}),
        ...(task ? { taskId: task } : {}),
    },
    configuration: { blocking: !at_once, ...(push ? { pushNotificationConfig: push } : {}) },
});

main({
    async connect({ url, binding, ...shows }) {
        const fetchImpl = fetching(shows);
        const card = await new DefaultAgentCardResolver({ fetchImpl }).resolve(`${url}/`);
        client = await new ClientFactory({ transports: [new TRANSPORTS[binding]({ fetchImpl })] }).createFromAgentCard(card);
        return card;
    },
    send: (line) => client.sendMessage(sent(line)),
    stream: (line) => client.sendMessageStream(sent(line)),
    get: ({ task }) => client.getTask({ id: task }),
    cancel: ({ task }) => client.cancelTask({ id: task }),
    subscribe: ({ task }) => client.resubscribeTask({ id: task }),
    push_create: ({ task, push }) => client.setTaskPushNotificationConfig({ taskId: task, pushNotificationConfig: push }),
    push_get: ({ task, config }) => client.getTaskPushNotificationConfig({ id: task, pushNotificationConfigId: config }),
    push_list: ({ task }) => client.listTaskPushNotificationConfig({ id: task }),
    push_delete: ({ task, config }) =>
        client.deleteTaskPushNotificationConfig({ id: task, pushNotificationConfigId: config }),
    extended_card: () => client.getAgentCard(),
});
