/**
 * graphql-js and GraphQL Yoga: `node graphql.cjs DIRECTORY SCHEMA` with the directory of the installed packages and a
 * file in SDL.
 *
 * Reads one question per line (JSON) on standard input and writes one answer per line. `{"errors": {query, variables}}`
 * asks graphql-js for the errors of a request that cannot run, null if it can; `{"send": {method, path, headers, body}}`
 * asks Yoga for its response, with the body in base64 or absent. A failure is answered with `{"failure"}`.
 */
'use strict'

const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join, resolve } = require('node:path')
const readline = require('node:readline')

function errorsOf({ GraphQLError, getVariableValues, parse, validate }, schema, { query, variables }) {
  let document
  try {
    document = parse(query)
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error
    return [error]
  }
  const invalid = validate(schema, document)
  if (invalid.length > 0) return invalid
  const [operation] = document.definitions.filter((each) => each.kind === 'OperationDefinition')
  const defined = operation?.variableDefinitions ?? []
  return getVariableValues(schema, defined, variables ?? {}, { maxErrors: 50 }).errors ?? null
}

async function responseOf(yoga, { method, path, headers, body }) {
  const content = body === undefined ? undefined : Buffer.from(body, 'base64')
  const response = await yoga.fetch(`http://127.0.0.1${path}`, { method, headers, body: content })
  return { status: response.status, contentType: response.headers.get('content-type'), body: await response.text() }
}

async function main() {
  const [directory, file] = process.argv.slice(2)
  if (!file) throw new Error('usage: node graphql.cjs DIRECTORY SCHEMA < questions.jsonl')
  const load = createRequire(join(resolve(directory), 'package.json'))
  const graphql = load('graphql')
  const schema = graphql.buildSchema(readFileSync(file, 'utf8'))
  const yoga = load('graphql-yoga').createYoga({ schema, logging: false, graphiql: false, landingPage: false })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { errors, send } = JSON.parse(line)
    let answer
    try {
      answer = errors ? errorsOf(graphql, schema, errors) : await responseOf(yoga, send)
    } catch (error) {
      answer = { failure: `${error.name}: ${error.message}` }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
})
