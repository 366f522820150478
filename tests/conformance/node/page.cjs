/**
 * Makes calls with Segment's published browser SDK, in a page of another origin: `node page.cjs DIRECTORY < job.json`.
 *
 * DIRECTORY holds the installed `@segment/analytics-next` and jsdom, whose XMLHttpRequest keeps to CORS as a browser's
 * does. The job is that of `track.cjs`. Prints `{"errors": [text, …]}`: what the SDK logged as an error, what was written
 * on the page's console.
 */
'use strict'

const fs = require('node:fs')
const path = require('node:path')
const { createRequire } = require('node:module')

const ORIGIN = 'http://localhost:3000/'
const GLOBALS = ['document', 'navigator', 'location', 'localStorage', 'XMLHttpRequest', 'CustomEvent', 'Event']

const ARGUMENTS = {
  identify: ({ userId, traits }) => [userId, traits],
  track: ({ event, properties }) => [event, properties],
  page: ({ name, properties }) => [name, properties],
  screen: ({ name, properties }) => [name, properties],
  group: ({ groupId, traits }) => [groupId, traits],
  alias: ({ userId, previousId }) => [userId, previousId],
}

function openPage({ JSDOM, VirtualConsole }, errors) {
  const virtualConsole = new VirtualConsole()
  virtualConsole.on('jsdomError', (error) => errors.push(error.message))
  const { window } = new JSDOM('<!doctype html><head></head><body></body>', { url: ORIGIN, virtualConsole })
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  define('window', window)
  for (const name of GLOBALS) define(name, window[name])
  // Node's fetch knows no origin. Without it the SDK takes the page's XMLHttpRequest, as in a browser without fetch.
  delete globalThis.fetch
  for (const level of ['error', 'warn']) console[level] = (...said) => errors.push(said.join(' '))
}

async function main() {
  const [directory] = process.argv.slice(2)
  if (!directory) throw new Error('usage: node page.cjs DIRECTORY < job.json')
  const installed = createRequire(path.join(path.resolve(directory), 'package.json'))
  const { host, writeKey, calls } = JSON.parse(fs.readFileSync(0, 'utf8'))
  const errors = []
  openPage(installed('jsdom'), errors)
  const { AnalyticsBrowser } = installed('@segment/analytics-next')
  const [protocol, address] = host.split('://')
  const analytics = AnalyticsBrowser.load(
    { writeKey, cdnSettings: { integrations: { 'Segment.io': { apiKey: writeKey } } } },
    { integrations: { 'Segment.io': { apiHost: `${address}/v1`, protocol } } }
  )
  for (const [method, argument] of calls) {
    const context = await analytics[method](...ARGUMENTS[method](argument))
    errors.push(...context.logs().filter(({ level }) => ['error', 'warn'].includes(level)).map(({ message }) => message))
  }
  // What failed would be tried again for a while.
  process.stdout.write(`${JSON.stringify({ errors })}\n`, () => process.exit(0))
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
