/**
 * Runs an installed `@segment/action-destinations`: `node published.cjs PACKAGE < cases.jsonl`.
 *
 * The first output line is the definition of the StackAdapt destination, `{"definition"}`. One line a case follows, in
 * order, `{"id", "expected", "urls"}`: what the package did, and the URLs that it requested. All requests go to a server in
 * this process instead, which sends the responses of the case; host names are not resolved, so nothing leaves the machine.
 */
'use strict'

const dns = require('node:dns')
const http = require('node:http')
const https = require('node:https')
const path = require('node:path')
const readline = require('node:readline')
const { createRequire } = require('node:module')

const DESTINATION = 'dist/destinations/stackadapt-audiences'
const KEPT_HEADERS = ['authorization', 'content-type', 'user-agent']
const FIELD_PARTS = [
  ...['label', 'type', 'required', 'dynamic', 'multiple', 'format', 'choices', 'additionalProperties', 'depends_on'],
  ...['properties', 'default']
]

/** Records the requests of one case at a time and sends the responses scripted for it. */
class ScriptedServer {
  constructor() {
    this.http = http.createServer((request, response) => this.serve(request, response))
  }

  expect(responses) {
    this.responses = responses
    this.requests = []
    this.urls = []
  }

  serve(request, response) {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const kept = KEPT_HEADERS.filter((name) => name in request.headers)
      this.requests.push({
        method: request.method,
        path: request.url,
        headers: Object.fromEntries(kept.map((name) => [name, request.headers[name]])),
        body: Buffer.concat(chunks).toString('utf8')
      })
      const { status, body } = this.responses[this.requests.length - 1] ?? { status: 500, body: {} }
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  }

  /** Listens, and redirects every request of this process to itself. */
  async intercept() {
    await new Promise((resolve, reject) => this.http.once('error', reject).listen(0, '127.0.0.1', resolve))
    const { port } = this.http.address()
    const send = http.request
    const here = { protocol: 'http:', host: '127.0.0.1', hostname: '127.0.0.1', port, agent: undefined }
    const redirected = (protocol) => (options, callback) => {
      const wanted = options instanceof URL ? https.urlToHttpOptions?.(options) ?? options : options
      this.urls.push(`${wanted.protocol ?? protocol}//${wanted.host ?? wanted.hostname}${wanted.path ?? '/'}`)
      return send({ ...wanted, ...here }, callback)
    }
    http.request = redirected('http:')
    https.request = redirected('https:')
    const fetch = globalThis.fetch
    globalThis.fetch = (input, init) => {
      const request = new Request(input, init)
      const url = new URL(request.url)
      this.urls.push(request.url)
      return fetch(new Request(`http://127.0.0.1:${port}${url.pathname}${url.search}`, request), { duplex: 'half' })
    }
    const refused = (name) => new Error(`looked up ${name}`)
    dns.lookup = (name, options, callback) => (callback ?? options)(refused(name))
    dns.promises.lookup = (name) => Promise.reject(refused(name))
  }
}

/** A field in the form of the contract. A choice may be a plain value or an object with value and label. */
function fieldOf(field) {
  const parts = FIELD_PARTS.filter((part) => field[part] !== undefined).map((part) => [part, field[part]])
  const kept = Object.fromEntries(parts)
  if (Array.isArray(kept.choices)) kept.choices = kept.choices.map((choice) => choice?.value ?? choice)
  if (kept.properties) kept.properties = fieldsOf(kept.properties)
  return kept
}

function fieldsOf(fields) {
  return Object.fromEntries(Object.entries(fields ?? {}).map(([key, field]) => [key, fieldOf(field)]))
}

function definitionOf({ name, slug, authentication, actions }) {
  const kept = Object.entries(actions).map(([key, { title, defaultSubscription, fields }]) => [
    key,
    { title, defaultSubscription, fields: fieldsOf(fields) }
  ])
  return { name, slug, settings: fieldsOf(authentication?.fields), actions: Object.fromEntries(kept) }
}

/** How each mode calls the destination. */
const MODES = {
  event: (destination, { events }, settings) => destination.onEvent(events[0], settings),
  batch: (destination, { events }, settings) => destination.onBatch(events, settings),
  delete: (destination, { events }, settings) => destination.onDelete(events[0], settings),
  auth: (destination, _case, settings) => destination.testAuthentication(settings),
  dynamic: (destination, { action, field }, settings) =>
    destination.executeDynamicField(action, field, { settings, payload: {} })
}

function errorOf(error) {
  const several = error.name === 'AggregateError' && typeof error[Symbol.iterator] === 'function'
  return {
    name: error.name,
    message: several ? [...error].map((one) => `${one.name}: ${one.message}`).join('\n') : error.message,
    code: error.code ?? null,
    status: error.status ?? error.response?.status ?? null
  }
}

async function run({ core, definition, server }, testCase) {
  server.expect(testCase.responses)
  const settings = { ...testCase.settings, subscriptions: testCase.subscriptions }
  let outcome
  try {
    outcome = { results: (await MODES[testCase.mode](new core.Destination(definition), testCase, settings)) ?? null }
  } catch (error) {
    outcome = { error: errorOf(error) }
  }
  return { id: testCase.id, expected: { ...outcome, requests: server.requests }, urls: server.urls }
}

async function main() {
  const folder = path.resolve(process.argv[2])
  const requireFromPackage = createRequire(path.join(folder, 'package.json'))
  const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
  const server = new ScriptedServer()
  await server.intercept()
  try {
    const definition = requireFromPackage(path.join(folder, DESTINATION)).default
    const core = requireFromPackage('@segment/actions-core')
    print({ definition: definitionOf(definition) })
    for await (const line of readline.createInterface({ input: process.stdin })) {
      print(await run({ core, definition, server }, JSON.parse(line)))
    }
  } finally {
    server.http.closeAllConnections()
    server.http.close()
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
