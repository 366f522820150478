/**
 * A GraphQL client with its defaults: `node client.mjs NAME URL`, where NAME is `urql`, `apollo`, `apollo-persisted`,
 * `apollo-retry` or `graphql-request`.
 *
 * Reads one request per line (JSON) on standard input, `{"document", "variables", "token"}`, or `{"token"}` alone for the
 * schema, and writes one outcome per line: `{"data", "errors", "status", "thrown"}` with the messages of the errors that
 * the client hands to its caller, the HTTP status if it does, and the class of the error. The outcome of the schema has
 * the root fields as `data`.
 */
import { createHash } from 'node:crypto'
import readline from 'node:readline'

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { RetryLink } from '@apollo/client/link/retry'
import { Client, cacheExchange, fetchExchange } from '@urql/core'
import { buildClientSchema, getIntrospectionQuery, parse } from 'graphql'
import { GraphQLClient } from 'graphql-request'

const authorization = (token) => ({ authorization: `Bearer ${token}` })
const isMutation = (document) => parse(document).definitions.some((each) => each.operation === 'mutation')
const messages = (errors) => errors.map((error) => error.message)

function urql(url) {
  return async ({ document, variables, token }) => {
    const client = new Client({
      url,
      exchanges: [cacheExchange, fetchExchange],
      fetchOptions: { headers: authorization(token) }
    })
    const { data, error } = await client[isMutation(document) ? 'mutation' : 'query'](document, variables).toPromise()
    const errors = error && (error.graphQLErrors.length ? messages(error.graphQLErrors) : [error.message])
    return { data, errors, status: error?.response?.status, thrown: error?.name }
  }
}

function apollo(url, ...links) {
  return async ({ document, variables, token }) => {
    const link = ApolloLink.from([...links, new HttpLink({ uri: url, headers: authorization(token) })])
    const client = new ApolloClient({ link, cache: new InMemoryCache() })
    try {
      const { data } = isMutation(document)
        ? await client.mutate({ mutation: gql(document), variables })
        : await client.query({ query: gql(document), variables })
      return { data }
    } catch (error) {
      return { errors: messages(error.errors ?? [error]), status: error.statusCode, thrown: error.name }
    }
  }
}

function graphqlRequest(url) {
  return async ({ document, variables, token }) => {
    try {
      return { data: await new GraphQLClient(url, { headers: authorization(token) }).request(document, variables) }
    } catch (error) {
      const { errors, status } = error.response ?? {}
      return { errors: messages(errors ?? [error]), status, thrown: error.constructor.name }
    }
  }
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const CLIENTS = {
  urql,
  apollo,
  'apollo-persisted': (url) => apollo(url, new PersistedQueryLink({ sha256 })),
  'apollo-retry': (url) => apollo(url, new RetryLink({ delay: { initial: 1 } })),
  'graphql-request': graphqlRequest
}

async function schema(send, token) {
  const { data, ...failure } = await send({ document: getIntrospectionQuery(), variables: {}, token })
  if (!data) return failure
  const built = buildClientSchema(data)
  return { data: [built.getQueryType(), built.getMutationType()].flatMap((type) => Object.keys(type.getFields())) }
}

const [name, url] = process.argv.slice(2)
if (!Object.hasOwn(CLIENTS, name) || !url) {
  process.stderr.write(`usage: node client.mjs ${Object.keys(CLIENTS).join('|')} URL\n`)
  process.exit(2)
}
const send = CLIENTS[name](url)
for await (const line of readline.createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  const outcome = request.document ? await send(request) : await schema(send, request.token)
  process.stdout.write(`${JSON.stringify(outcome)}\n`)
}
