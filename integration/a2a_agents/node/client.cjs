// The official JavaScript client, in A2A 1.0 and 0.3, told what to do line by line: see lines.cjs.
'use strict';

const sdk = require('@a2a-js/sdk');
const { ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory } = require('@a2a-js/sdk/client');
const { fetching, main } = require('./lines.cjs');

const TRANSPORTS = { JSONRPC: JsonRpcTransportFactory, 'HTTP+JSON': RestTransportFactory };
let client;

async function* plain(stream) {
    for await (const event of stream) yield sdk.StreamResponse.toJSON(event);
}

const sent = ({ message, text, context, task, at_once, push }) => {
    const said = { messageId: message, role: 'ROLE_USER', parts: [{ text }], contextId: context ?? '', taskId: task ?? '' };
    const configuration = { returnImmediately: at_once, ...(push ? { taskPushNotificationConfig: push } : {}) };
    return sdk.SendMessageRequest.fromJSON({ message: said, configuration });
};

main({
    async connect({ url, version, binding, ...shows }) {
        const legacyCompat = { enabled: true };
        const fetchImpl = fetching(shows);
        const card = await new DefaultAgentCardResolver({ fetchImpl, legacyCompat }).resolve(`${url}/`);
        const factory = new ClientFactory({ transports: [new TRANSPORTS[binding]({ fetchImpl, legacyCompat })] });
        // Which of the interfaces is the person's choice, and the client takes versions before all else.
        const supportedInterfaces = card.supportedInterfaces.filter((one) => one.protocolVersion.startsWith(version));
        client = await factory.createFromAgentCard({ ...card, supportedInterfaces });
        return card;
    },
    async send(line) {
        const result = await client.sendMessage(sent(line));
        return 'messageId' in result ? { message: sdk.Message.toJSON(result) } : { task: sdk.Task.toJSON(result) };
    },
    stream: (line) => plain(client.sendMessageStream(sent(line))),
    get: async ({ task }) => sdk.Task.toJSON(await client.getTask({ tenant: '', id: task })),
    list: async ({ context }) =>
        sdk.ListTasksResponse.toJSON(await client.listTasks(sdk.ListTasksRequest.fromJSON({ contextId: context }))),
    cancel: async ({ task }) => sdk.Task.toJSON(await client.cancelTask({ tenant: '', id: task })),
    subscribe: ({ task }) => plain(client.resubscribeTask({ tenant: '', id: task })),
    push_create: async ({ task, push }) =>
        sdk.TaskPushNotificationConfig.toJSON(
            await client.createTaskPushNotificationConfig(sdk.TaskPushNotificationConfig.fromJSON({ ...push, taskId: task })),
        ),
    push_get: async ({ task, config }) =>
        sdk.TaskPushNotificationConfig.toJSON(
            await client.getTaskPushNotificationConfig({ tenant: '', taskId: task, id: config }),
        ),
    push_list: async ({ task }) =>
        sdk.ListTaskPushNotificationConfigsResponse.toJSON(
            await client.listTaskPushNotificationConfig({ tenant: '', taskId: task, pageSize: 0, pageToken: '' }),
        ),
    push_delete: ({ task, config }) => client.deleteTaskPushNotificationConfig({ tenant: '', taskId: task, id: config }),
    extended_card: () => client.getAgentCard(),
});
