/** A loopback HTTP server that records the requests of one case and gives the answers scripted for it. */
'use strict'

const http = require('node:http')

const KEPT_HEADERS = ['authorization', 'content-type', 'user-agent']
const JSON_HEADERS = { 'content-type': 'application/json' }

function record(request, body) {
  const kept = KEPT_HEADERS.filter((name) => name in request.headers)
  return {
    method: request.method,
    path: request.url,
    headers: Object.fromEntries(kept.map((name) => [name, request.headers[name]])),
    body
  }
}

/** A scripted answer has a `status` and a JSON `body`, or a raw `text` with `headers`; `reset` breaks the connection. */
function answer(response, { status, body, text, headers, reset }) {
  if (reset) return response.destroy()
  return response.writeHead(status, headers ?? JSON_HEADERS).end(text ?? JSON.stringify(body))
}

/** Every request takes the next scripted answer. */
class Loopback {
  constructor() {
    this.expect([])
    this.server = http.createServer((request, response) => this.serve(request, response))
  }

  /** Forgets what was recorded and scripts the answers to come. */
  expect(responses) {
    this.responses = responses
    this.requests = []
  }

  serve(request, response) {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      this.requests.push(record(request, Buffer.concat(chunks).toString('utf8')))
      answer(response, this.responses[this.requests.length - 1] ?? { reset: true })
    })
  }

  /** Whether more requests came than answers were scripted. */
  get overrun() {
    return this.requests.length > this.responses.length
  }

  /** Listens on a free port; the promise yields the URL of its `/graphql`. */
  listen() {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${this.server.address().port}/graphql`))
    })
  }

  close() {
    this.server.closeAllConnections()
    this.server.close()
  }
}

module.exports = { Loopback }
