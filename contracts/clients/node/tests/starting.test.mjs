import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, get } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import * as imported from 'stackadapt-emulator'

import { identify } from './send.mjs'

const { EmulatorError, createEmulator } = imported
const CONTROL_TOKEN = 'control-of-the-tests'
const WORKSPACE = {
  advertisers: [{ id: '5', name: 'Other' }],
  tokens: [{ token: 'theirs', name: 'Both', scopes: { 5: ['READ', 'WRITE'] } }],
  sources: [{ name: 'App', writeKey: 'theirs-too' }]
}
const YAML = `# Ours
advertisers: [{id: "7", name: Seventh}]
tokens: [{token: theirs, name: Both, scopes: {"7": [READ, WRITE]}}]
`

const BEFORE = { ...process.env }
const folder = mkdtempSync(join(tmpdir(), 'helper-'))
after(() => rmSync(folder, { recursive: true }))

function file(name, content) {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}

/** Sets variables of the environment for one test; undefined removes one. */
function environment(t, variables) {
  t.after(() => Object.keys(variables).forEach((name) => setVariable(name, BEFORE[name])))
  Object.entries(variables).forEach(([name, value]) => setVariable(name, value))
}

function setVariable(name, value) {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

async function refused(promise) {
  const error = await promise.then(() => assert.fail('it is accepted'), (reason) => reason)
  assert.ok(error instanceof EmulatorError, error)
  return error
}

test('the package can be imported and required', () => {
  const required = createRequire(import.meta.url)('stackadapt-emulator')
  assert.equal(required.createEmulator, createEmulator)
  assert.deepEqual(Object.keys(required).sort(), ['EmulatorError', 'Unmet', 'createEmulator'])
})

test('a server is started with a workspace and a latency, and ends when it is closed', async () => {
  const workspace = { ...WORKSPACE, apiVersion: '2025-05' }
  const emulator = await createEmulator({ workspace, latency: '4h' })
  assert.equal(emulator.graphqlUrl, `${emulator.url}/graphql`)
  assert.equal(emulator.segmentHost, emulator.url)
  const { token, writeKey, advertiserId, sandbox } = emulator
  assert.deepEqual([token, writeKey, advertiserId, sandbox], ['theirs', 'theirs-too', '5', 'default'])
  const shown = (await emulator.call('GET', '/_emulator/workspace')).workspace
  assert.deepEqual([shown.apiVersion, shown.ingestion.latency], ['2025-05', '4h'])
  assert.equal(await emulator.close(), undefined)
  assert.equal(await emulator.close(), undefined)
  await assert.rejects(fetch(emulator.url))
  assert.equal((await refused(emulator.clock.now())).message, `${emulator.url}: the emulator is closed`)
})

test('a server that needs a control token; sandboxes of a running emulator', async (t) => {
  environment(t, { STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN: CONTROL_TOKEN })
  const server = await createEmulator()
  t.after(() => server.close())
  await server.reset()
  const { url } = server

  const error = await refused(createEmulator({ url }))
  assert.equal(error.status, 401)
  assert.equal(error.hint, 'Pass it as controlToken, or in the environment variable STACKADAPT_EMULATOR_CONTROL_TOKEN.')
  assert.equal((await refused(createEmulator({ url, controlToken: 'wrong' }))).status, 401)

  // As `exec` and `env` set it. Nothing is started: the command does not exist.
  environment(t, { STACKADAPT_EMULATOR_URL: url, STACKADAPT_EMULATOR_CONTROL_TOKEN: CONTROL_TOKEN })
  const [one, other] = await Promise.all([
    createEmulator({ command: 'none', latency: '4h' }),
    createEmulator({ command: 'none', workspace: WORKSPACE, apiVersion: '2025-05' })
  ])
  assert.equal(new Set([server, one, other].map((each) => each.token)).size, 3)
  assert.deepEqual([one.url, one.advertiserId, other.advertiserId], [url, '1001', '5'])
  await identify(one, 'u1', { email: 'ada@example.com', total_spent: 900 })
  const late = await one.expectProfile('ada@example.com', {}, { timeout: 0 }).catch(({ message }) => message)
  assert.match(late, /^Stopped at the latency/m)
  await one.clock.advance('4h')
  await one.expectProfile('ada@example.com')
  await server.expectNoProfile('ada@example.com')
  assert.equal((await other.call('GET', '/_emulator/workspace')).workspace.apiVersion, '2025-05')

  const fromFile = await createEmulator({ workspace: file('workspace.yaml', YAML) })
  assert.deepEqual([fromFile.advertiserId, fromFile.writeKey], ['7', ''])

  const names = async () => (await server.call('GET', '/_emulator/sandboxes')).sandboxes.map(({ name }) => name)
  assert.equal((await names()).length, 4)
  for (const each of [one, other, fromFile]) await each[Symbol.asyncDispose]()
  assert.deepEqual(await names(), ['default'])

  const misspelled = file('misspelled.yaml', 'advertisers: []\nadvertiser: x\n')
  for (const [options, where] of [
    [{ workspace: misspelled }, 'workspace: (top level)'],
    [{ workspace: join(folder, 'absent.yaml') }, join(folder, 'absent.yaml')],
    [{ latency: '4x' }, 'workspace: ingestion.latency'],
    [{ apiVersion: '2020-01' }, 'apiVersion']
  ]) {
    assert.equal((await refused(createEmulator(options))).where, where)
  }
  assert.deepEqual(await names(), ['default'])
})

test('a server ends when the process that started it is killed', async () => {
  const script = file('killed.mjs', `
    import { createRequire } from 'node:module'
    const { createEmulator } = createRequire(${JSON.stringify(import.meta.url)})('stackadapt-emulator')
    console.log((await createEmulator()).url)
    setInterval(() => undefined, 1000)
  `)
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(child.stdout.setEncoding('utf8'), 'data')
  const waiting = get(`${url.trim()}/_emulator/events?wait=60s`)
  const [socket] = await once(waiting, 'socket')
  await once(socket, 'connect')
  child.kill('SIGKILL')
  // It answers that it is stopping, or had not read the request yet and closes the connection.
  assert.equal(await once(waiting, 'response').then(([response]) => response.statusCode, () => 503), 503)
})

test('how a server ended is named', async () => {
  const program = process.env.STACKADAPT_EMULATOR_COMMAND ?? 'stackadapt-emulator'
  const pid = join(folder, 'pid')
  const emulator = await createEmulator({ command: ['/bin/sh', '-c', `echo $$ > ${pid}; exec ${program} "$@"`, 'sh'] })
  const waiting = refused(emulator.expectProfile('ada@example.com', {}, { timeout: 60_000 }))
  process.kill(Number(readFileSync(pid, 'utf8')), 'SIGKILL')
  await waiting
  // The connection is gone before the end of the process is reported.
  let { message } = await refused(emulator.clock.now())
  while (message.includes('does not respond')) ({ message } = await refused(emulator.clock.now()))
  assert.equal(message, `${emulator.url}: the server ended with SIGKILL`)
  await emulator.close()
})

test('a program that is not the emulator is named', async () => {
  const error = await refused(createEmulator({ command: ['/bin/sh', '-c', 'echo hello; cat'] }))
  assert.match(error.message, /^`\/bin\/sh -c echo hello; cat serve`: this is not the emulator. Found: 'hello'/)
})

test('a process that forgets to close its emulator ends', async () => {
  const script = file('forgets.mjs', `
    import { createRequire } from 'node:module'
    await createRequire(${JSON.stringify(import.meta.url)})('stackadapt-emulator').createEmulator()
  `)
  const [code] = await once(spawn(process.execPath, [script], { stdio: 'inherit' }), 'exit')
  assert.equal(code, 0)
})

// What ends before it is ready, and prints how it was called.
const FAKE = '#!/bin/sh\necho "$(basename "$0") $*" >&2\nexit 3\n'

function fakes(...names) {
  const path = mkdtempSync(join(folder, 'path-'))
  for (const name of names) {
    writeFileSync(join(path, name), FAKE)
    chmodSync(join(path, name), 0o755)
  }
  return path
}

// Programs on the PATH, the variable, the option, and what is run.
const FOUND = [
  [['stackadapt-emulator', 'uvx', 'pipx'], undefined, undefined, 'stackadapt-emulator'],
  [['uvx', 'pipx'], undefined, undefined, 'uvx stackadapt-emulator'],
  [['pipx'], undefined, undefined, 'pipx run stackadapt-emulator'],
  [['stackadapt-emulator', 'python'], ' python  -m emulator', undefined, 'python -m emulator'],
  [['stackadapt-emulator', 'python', 'own'], 'python', 'own', 'own'],
  [['stackadapt-emulator', 'own'], undefined, ['own', 'with spaces'], 'own with spaces']
]

for (const [programs, variable, command, run] of FOUND) {
  test(`the command is found: ${run} from ${programs.join(', ')}`, async (t) => {
    const system = '/usr/bin:/bin'
    environment(t, { PATH: `${fakes(...programs)}:${system}`, STACKADAPT_EMULATOR_COMMAND: variable })
    const error = await refused(createEmulator({ command, latency: '1h' }))
    const serve = 'serve --host 127.0.0.1 --port 0 --json --until-stdin-closes --latency 1h'
    assert.equal(error.message, `\`${run} serve\` ended with exit code 3 before it was ready:\n${run} ${serve}`)
  })
}

test('what was looked for is named when nothing is found', async (t) => {
  environment(t, { PATH: fakes(), STACKADAPT_EMULATOR_COMMAND: undefined })
  const error = await refused(createEmulator())
  assert.equal(error.found, 'no stackadapt-emulator, no uvx stackadapt-emulator, no pipx run stackadapt-emulator')
  assert.match(error.hint, /^Install it with pip install stackadapt-emulator, or name its command: .*_COMMAND\.$/)
  assert.equal((await refused(createEmulator({ command: 'mine' }))).found, 'no mine')
})

test('a file that cannot be run is named', async (t) => {
  environment(t, { STACKADAPT_EMULATOR_COMMAND: undefined })
  const command = file('not-executable', FAKE)
  assert.equal((await refused(createEmulator({ command }))).message, `${command}: cannot run it: EACCES`)
})

test('a workspace that is refused leaves no file behind', async (t) => {
  const temporary = mkdtempSync(join(folder, 'tmp-'))
  environment(t, { TMPDIR: temporary })
  const error = await refused(createEmulator({ workspace: { ...WORKSPACE, sources: 'none' } }))
  assert.match(error.message, /ended with exit code 2 before it was ready:\nerror: .*workspace\.json.*sources/)
  assert.deepEqual(readdirSync(temporary), [])
})

// URLs to which nothing is sent, and why.
const GUARDED = {
  'http://192.0.2.1:8585': 'this is another host, and nothing was sent',
  'http://localhost.example:8585': 'this is another host, and nothing was sent',
  'https://api.stackadapt.com/graphql': 'production hosts are never written to, and nothing was sent',
  'https://API.SEGMENT.io': 'production hosts are never written to, and nothing was sent',
  'ftp://127.0.0.1': 'invalid URL',
  'http://me:secret@127.0.0.1:8585': 'the URL must not contain a user or password',
  '127.0.0.1:8585': 'invalid URL'
}

for (const [url, message] of Object.entries(GUARDED)) {
  test(`nothing is sent to ${url}`, async () => {
    const error = await refused(createEmulator({ url }))
    assert.ok(error.message.includes(message), error.message)
    assert.ok(!error.message.includes('secret'))
    assert.equal(error.status, null)
  })
}

for (const url of ['https://api.stackadapt.com', 'https://cdn.segment.com']) {
  test(`production is never written to, even where other hosts are allowed: ${url}`, async () => {
    assert.match((await refused(createEmulator({ url, allowRemote: true }))).message, /production hosts are never/)
  })
}

for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', 'LOCALHOST.', '[::1]', '[::ffff:127.0.0.1]']) {
  test(`this machine is ${host}`, async () => {
    // A port that nothing listens on: what is refused by the guard has another message.
    assert.match((await refused(createEmulator({ url: `http://${host}:1` }))).message, /the emulator does not respond/)
  })
}

for (const [name, status, type, body] of [
  ['a page', 200, 'text/html', '<h1>Hello</h1>'],
  ['JSON', 200, 'application/json', '{"hello": 1}'],
  ['damaged JSON', 200, 'application/json', '{'],
  ['an error', 500, 'text/plain', 'failed']
]) {
  test(`a server that is not an emulator is named: ${name}`, async (t) => {
    const server = createServer((_, response) => response.writeHead(status, { 'content-type': type }).end(body))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const url = `http://127.0.0.1:${server.address().port}`
    assert.match((await refused(createEmulator({ url }))).message, /not an emulator/)
  })
}

for (const [options, found] of [
  [{ latencies: '4h' }, 'latencies'],
  ['workspace.yaml', 'workspace.yaml']
]) {
  test(`a wrong option is refused: ${found}`, async () => {
    const error = await refused(createEmulator(options))
    assert.deepEqual([error.where, error.found], ['createEmulator', found])
    assert.match(error.allowed, /^workspace, latency, apiVersion/)
  })
}
