'use strict'

const { spawn } = require('node:child_process')
const { once } = require('node:events')
const { mkdtemp, rm, writeFile } = require('node:fs/promises')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const { EmulatorError } = require('./errors.cjs')
const { clearTimer, setTimer } = require('./real-time.cjs')

const NAME = 'stackadapt-emulator'
const VARIABLE = 'STACKADAPT_EMULATOR_COMMAND'
// It also waits for requests to slow endpoints.
const PATIENCE_MS = 15_000
const MOST_LOG = 4_000

/**
 * Starts a server on a free port, which ends with this process however that ends: it watches the pipe at its input.
 *
 * Throws EmulatorError when the command is not found, or ends before the server is ready.
 *
 * @param {import('../index.js').EmulatorOptions} options
 * @returns {Promise<import('./control.cjs').Server & {stop: () => Promise<void>}>}
 */
async function launch({ command, workspace, latency, apiVersion }) {
  const folder = typeof workspace === 'object' ? await mkdtemp(join(tmpdir(), `${NAME}-`)) : undefined
  try {
    const file = folder ? join(folder, 'workspace.json') : workspace
    if (folder) await writeFile(join(folder, 'workspace.json'), JSON.stringify(workspace))
    const options = Object.entries({ '--workspace': file, '--latency': latency, '--api-version': apiVersion })
    const given = options.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]))
    const serve = ['serve', '--host', '127.0.0.1', '--port', '0', '--json', '--until-stdin-closes', ...given]
    return await firstOf(commands(command), serve)
  } finally {
    if (folder) await rm(folder, { recursive: true })
  }
}

/**
 * The commands that may be the emulator, in the order in which they are tried.
 *
 * @param {string | readonly string[] | undefined} given
 * @returns {string[][]}
 */
function commands(given) {
  if (given !== undefined) return [typeof given === 'string' ? [given] : [...given]]
  const named = process.env[VARIABLE]?.split(/\s+/).filter(Boolean) ?? []
  return named.length ? [named] : [[NAME], ['uvx', NAME], ['pipx', 'run', NAME]]
}

/**
 * @param {string[][]} candidates
 * @param {string[]} serve
 */
async function firstOf(candidates, serve) {
  for (const [program = '', ...before] of candidates) {
    const child = spawn(program, [...before, ...serve], { stdio: ['pipe', 'pipe', 'pipe'] })
    const failure = await new Promise((resolve) => child.once('spawn', () => resolve(undefined)).once('error', resolve))
    if (failure === undefined) return ready(child, [program, ...before].join(' '))
    if (failure.code !== 'ENOENT') throw new EmulatorError(`cannot run it: ${failure.code}`, { where: program })
  }
  throw new EmulatorError('the emulator was not found', {
    where: 'createEmulator',
    found: `no ${candidates.map((words) => words.join(' ')).join(', no ')}`,
    hint: `Install it with pip install ${NAME}, or name its command: the option command, or the variable ${VARIABLE}.`
  })
}

/**
 * Waits until the server is ready.
 *
 * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
 * @param {string} command
 */
async function ready(child, command) {
  let printed = ''
  let log = ''
  const ended = once(child, 'close')
  child.stderr.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-MOST_LOG)))
  // Written to only by ending it; that a server is gone already is found by its exit.
  child.stdin.on('error', () => undefined)
  const line = await new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text
      if (printed.includes('\n')) resolve(printed.slice(0, printed.indexOf('\n')))
    })
    ended.then(() => resolve(undefined))
  })
  const how = () => `ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`
  const printedLog = () => (log.trim() ? `:\n${log.trimEnd()}` : '')
  if (line === undefined) {
    throw new EmulatorError(`\`${command} serve\` ${how()} before it was ready${printedLog()}`)
  }
  // It prints a token that it generated. One that it was given is in the environment, which it has from here.
  const { url, controlToken = process.env.STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN } = connectionIn(line) ?? {}
  if (url === undefined) {
    child.kill()
    const where = `\`${command} serve\``
    throw new EmulatorError('this is not the emulator', { where, found: line, allowed: 'a line of JSON with its URL' })
  }
  // What it has to say about the workspace. Its log of requests follows, which a test run does not need.
  process.stderr.write(log)
  // A test that forgets to close the emulator does not keep its process running.
  for (const each of [child, child.stdin, child.stdout, child.stderr]) /** @type {any} */ (each).unref()
  const failure = () => (hasEnded(child) ? `the server ${how()}${printedLog()}` : undefined)
  return { url, controlToken, failure, stop: () => stop(child) }
}

/**
 * The addresses and secrets in the line that a server prints when it is ready; undefined for anything else.
 *
 * @param {string} line
 */
function connectionIn(line) {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null
}

/** @param {import('node:child_process').ChildProcessWithoutNullStreams} child */
async function stop(child) {
  if (hasEnded(child)) return
  child.ref()
  const ended = once(child, 'exit')
  child.stdin.end()
  const timer = setTimer(() => child.kill('SIGKILL'), PATIENCE_MS)
  await ended
  clearTimer(timer)
}

module.exports = { launch }
