// What the servers on the TypeScript SDKs offer and do: the same as the one on the Python SDK, from the same
// `offer.json`. `../offer.py` says what the words in it mean. An SDK calls with what it knows of a request as `call`:
// `modern`, `capabilities`, `responses`, `round`, `progressToken`, and how to `notify`, `request`, `log`, `hangUp`,
// `mint` a state, `change` a list.
'use strict';

const offer = require('../offer.json');

const STEP = 50;
const CAPABILITY = { 'elicitation/create': 'elicitation', 'sampling/createMessage': 'sampling', 'roots/list': 'roots' };
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const text = (words, more = {}) => ({ content: [{ type: 'text', text: words }], ...more });

/** An error as JSON-RPC has it; each SDK has a class of its own for it. */
class Refused extends Error {
    constructor(code, message, data) {
        super(message);
        this.code = code;
        this.data = data;
    }
}

/** The same with `{name}` replaced by that argument. */
function filled(node, values) {
    if (typeof node === 'string')
        return Object.entries(values).reduce((said, [name, value]) => said.replaceAll(`{${name}}`, String(value)), node);
    if (Array.isArray(node)) return node.map((child) => filled(child, values));
    if (node && typeof node === 'object')
        return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, filled(child, values)]));
    return node;
}

/** JSON as Python writes it with sorted keys, so that all servers answer the same. */
function told(node) {
    if (Array.isArray(node)) return `[${node.map(told).join(', ')}]`;
    if (node && typeof node === 'object')
        return `{${Object.keys(node).sort().map((key) => `${JSON.stringify(key)}: ${told(node[key])}`).join(', ')}}`;
    return JSON.stringify(node);
}

/** The same, or nothing where it is nested too deeply to be told. */
function tellable(node) {
    try {
        return JSON.stringify(node) && node;
    } catch {
        return null;
    }
}

class Offering {
    constructor() {
        this.forget();
    }

    forget() {
        this.ran = [];
        this.page = null;
        this.changed = {};
    }

    listed(key, entries, params) {
        if (!this.page) return { [key]: entries };
        const start = Number(params?.cursor ?? 0);
        const end = start + this.page;
        return { [key]: entries.slice(start, end), ...(end < entries.length ? { nextCursor: String(end) } : {}) };
    }

    /** The handlers by method. */
    handlers() {
        return {
            'tools/list': (params) => this.listed('tools', this.tools(), params),
            'tools/call': (params, call) => this.callTool(params, call),
            'prompts/list': (params) => this.listed('prompts', prompts(), params),
            'prompts/get': getPrompt,
            'resources/list': (params) => this.listed('resources', resources(), params),
            'resources/templates/list': () => ({ resourceTemplates: offer.templates.map(({ text: _, ...shown }) => shown) }),
            'resources/read': readResource,
            'resources/subscribe': () => ({}),
            'resources/unsubscribe': () => ({}),
            'completion/complete': ({ argument }) => {
                const values = ['paris', 'park', 'party'].filter((value) => value.startsWith(argument.value));
                return { completion: { values, total: values.length } };
            },
        };
    }

    tools() {
        const nothing = { type: 'object', properties: {} };
        return offer.tools.map(({ does: _, ...tool }) => ({
            description: `Fixture ${tool.name}.`,
            inputSchema: nothing,
            ...tool,
            ...this.changed[tool.name],
        }));
    }

    async callTool({ name, arguments: given = {} }, call) {
        const does = offer.tools.find((tool) => tool.name === name)?.does;
        if (!does) throw new Refused(-32602, `Unknown tool: ${name}`);
        if (!does.asks || (call.responses === undefined && call.round === 0)) this.ran.push({ tool: name, arguments: tellable(given) });
        if (does.answers) return does.answers;
        if (does.asks) return ask(does, given, call);
        if (does.fails) return text(does.fails, { isError: true });
        if (does.fills) return text('x'.repeat(given.bytes));
        if (does.needs && !(does.needs in call.capabilities)) {
            if (!call.modern) return text(`this needs a client with ${does.needs}`, { isError: true });
            throw new Refused(-32021, `${does.needs} is needed`, { requiredCapabilities: { [does.needs]: {} } });
        }
        await act(does, given, call);
        return text(`ran ${name} ${told(given)}`);
    }

    /** The side entrance of the test. */
    side(request, response, changed) {
        if (request.method === 'PUT') {
            this.page = request.body.page ?? null;
            this.changed = request.body.changed ?? {};
            changed();
        } else if (request.method === 'DELETE') {
            this.forget();
        }
        response.json(this.ran);
    }
}

async function act(does, given, call) {
    if (does.sleeps) await sleep(given.seconds * 1000);
    for (const line of does.logs ?? []) {
        await call.log(line);
        await sleep(STEP);
    }
    for (const progress of does.progresses ?? []) {
        const params = { progressToken: call.progressToken, progress, total: does.progresses.at(-1) };
        if (call.progressToken !== undefined) await call.notify({ method: 'notifications/progress', params });
        await sleep(STEP);
    }
    if (does.hangs_up) {
        call.hangUp();
        await sleep(STEP);
    }
    if (does.changes) await call.change(does.changes);
}

async function ask(does, given, call) {
    const rounds = does.asks.map((questions) => askable(filled(questions, given), call.capabilities));
    if (!call.modern) {
        const said = [];
        for (const questions of rounds) {
            if (!Object.keys(questions).length) return text('the client cannot be asked', { isError: true });
            for (const asked of Object.values(questions)) said.push(await call.request(asked));
        }
        return text([does.says, ...said.map(answer)].join(' '));
    }
    let round = call.round;
    let said = [];
    if (!Object.keys(rounds[round]).length) {
        const needed = Object.values(does.asks[round]).map((asked) => [CAPABILITY[asked.method], {}]);
        throw new Refused(-32021, 'the client cannot be asked', { requiredCapabilities: Object.fromEntries(needed) });
    }
    if (call.responses && answered(rounds[round], call.responses)) {
        said = Object.keys(rounds[round]).map((key) => call.responses[key]);
        round += 1;
    }
    if (round === rounds.length) return text([does.says, ...said.map(answer)].join(' '));
    const state = does.remembers ? { requestState: await call.mint(round) } : {};
    return { resultType: 'input_required', inputRequests: rounds[round], ...state };
}

function askable(questions, capabilities) {
    return Object.fromEntries(Object.entries(questions).filter(([, asked]) => CAPABILITY[asked.method] in capabilities));
}

/** Every question has an answer of its kind. */
function answered(questions, responses) {
    return Object.entries(questions).every(([key, asked]) => {
        const response = responses[key];
        if (!response || typeof response !== 'object') return false;
        if (asked.method === 'sampling/createMessage') return 'content' in response;
        if (asked.method === 'roots/list') return 'roots' in response;
        const required = asked.params.requestedSchema.required ?? [];
        if (['decline', 'cancel'].includes(response.action)) return true;
        return response.action === 'accept' && required.every((name) => name in (response.content ?? {}));
    });
}

function answer(response) {
    if (response.action) return `action=${response.action}, content=${told(response.content ?? null)}`;
    return response.content ? response.content.text : told(response);
}

function prompts() {
    return offer.prompts.map(({ messages: _, asks: __, ...prompt }) => ({ description: `Fixture ${prompt.name}.`, ...prompt }));
}

async function getPrompt({ name, arguments: given = {} }, call) {
    const prompt = offer.prompts.find((one) => one.name === name);
    if (!prompt) throw new Refused(-32602, `Unknown prompt: ${name}`);
    if (prompt.asks) {
        const said = await ask(prompt, given, call);
        if (said.resultType) return said;
    }
    return { messages: filled(prompt.messages, given) };
}

function resources() {
    return offer.resources.map(({ uri, mimeType }) => ({
        uri,
        name: uri.split('//')[1],
        description: `Fixture ${uri}.`,
        mimeType,
    }));
}

function readResource({ uri }, call) {
    const found = offer.resources.find((resource) => resource.uri === uri) ?? fromTemplate(uri);
    if (!found) throw new Refused(call.modern ? -32602 : -32002, 'Resource not found', { uri });
    return { contents: [found] };
}

function fromTemplate(uri) {
    for (const { uriTemplate, mimeType, text: words } of offer.templates) {
        const [before, after] = uriTemplate.split('{id}');
        const id = uri.slice(before.length, uri.length - after.length);
        if (uri === before + id + after && id && !id.includes('/')) return { uri, mimeType, text: filled(words, { id }) };
    }
    return undefined;
}

/** Events that a client may ask for again. */
class Memory {
    events = [];

    async storeEvent(stream, message) {
        this.events.push({ stream, message });
        return String(this.events.length);
    }

    async getStreamIdForEventId(event) {
        return this.events[Number(event) - 1]?.stream;
    }

    async replayEventsAfter(last, { send }) {
        const { stream } = this.events[Number(last) - 1];
        for (let number = Number(last); number < this.events.length; number++) {
            const event = this.events[number];
            if (event.stream === stream && Object.keys(event.message).length) await send(String(number + 1), event.message);
        }
        return stream;
    }
}

// The names that a server answers to: its own and the one that Envoy routes by authority.
const HOSTS = ['localhost', '127.0.0.1', '[::1]', 'reports.example'];

const CAPABILITIES = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    completions: {},
    logging: {},
};

module.exports = { CAPABILITIES, HOSTS, Memory, Offering, Refused };
