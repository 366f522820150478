/**
 * The published engine as an oracle: `node oracle.cjs DIRECTORY` with the directory of one installed generation.
 *
 * Reads one case per line (JSON) on standard input and writes, in the same order, one line per case with what the engine
 * did under `expected`: `{"id", "expected"}`. A case is of kind `transform` (mapping, payload), of kind `fql` (fql,
 * event), or a destination case (mode, settings, subscriptions, events, responses; action and field for `dynamic`).
 * A line that cannot be run is answered with `{"id", "failure"}`; the process goes on.
 */
'use strict'

const readline = require('node:readline')
const { Loopback } = require('./loopback.cjs')
const { ENDPOINT, loadGeneration, redirect, describeError, messageOf, run, MODES } = require('./published.cjs')

function runTransform({ generation }, { mapping, payload }) {
  try {
    return { output: generation.core.transform(mapping, payload) }
  } catch (error) {
    return { error: { message: messageOf(error) } }
  }
}

function runFql({ generation }, { fql, event }) {
  const tree = generation.subscriptions.parseFql(fql)
  if (tree.error) return { ast_error: tree.error.message, match: false }
  try {
    return { ast_error: null, match: generation.subscriptions.validate(tree, event) }
  } catch (error) {
    return { ast_error: null, match: null, error: { message: error.message } }
  }
}

async function runDestination({ generation, loopback }, testCase) {
  if (!Object.hasOwn(MODES, testCase.mode)) throw new Error(`unknown mode ${JSON.stringify(testCase.mode)}`)
  loopback.expect(testCase.responses)
  const outcome = await run(generation, testCase).then(
    (results) => ({ results: results ?? null }),
    (error) => ({ error: describeError(error) })
  )
  if (loopback.overrun) throw new Error('more requests than scripted responses')
  return { ...outcome, requests: loopback.requests }
}

const KINDS = { transform: runTransform, fql: runFql, destination: runDestination }

async function reply(setup, line) {
  let id = null
  try {
    const testCase = JSON.parse(line)
    id = testCase.id ?? null
    return { id, expected: await KINDS[testCase.kind ?? 'destination'](setup, testCase) }
  } catch (error) {
    return { id, failure: `${error.name}: ${error.message}` }
  }
}

async function main() {
  const [directory] = process.argv.slice(2)
  if (!directory) throw new Error('usage: node oracle.cjs DIRECTORY < cases.jsonl')
  const generation = loadGeneration(directory)
  const loopback = new Loopback()
  const url = await loopback.listen()
  const [own, published] = [url, ENDPOINT].map((address) => new URL(address).origin)
  redirect(generation, url)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (!line.trim()) continue
    const answer = JSON.stringify(await reply({ generation, loopback }, line))
    // Error texts name the address: with the published one the answer is the same on every run.
    process.stdout.write(`${answer.replaceAll(own, published)}\n`)
  }
  loopback.close()
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
