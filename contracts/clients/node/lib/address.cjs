'use strict'

const { BlockList, isIP } = require('node:net')

const { EmulatorError } = require('./errors.cjs')

const LOOPBACK_HOSTS = '127.0.0.1, localhost, [::1]'
// All hosts of the two vendors, apart from StackAdapt's sandbox.
const PRODUCTION = ['stackadapt.com', 'segment.io', 'segment.com', 'segmentapis.com']
const SANDBOX = 'sandbox.stackadapt.com'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/**
 * The base URL of an emulator, without a path. Throws EmulatorError for anything but an http or https URL, for one with
 * a user or password, and for another host unless that is allowed.
 *
 * @param {string} text
 * @param {boolean} allowRemote
 */
function address(text, allowRemote) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    // What may be a user, a password or a query is not printed.
    const found = String(text).replace(/^.*@|\?.*$/g, '')
    throw new EmulatorError('invalid URL', { where: 'url', found, allowed: 'http or https' })
  }
  if (url.username || url.password) {
    throw new EmulatorError('the URL must not contain a user or password', {
      where: 'url',
      found: `${url.protocol}//***@${url.host}`,
      hint: 'An emulator that needs a control token gets it as controlToken.'
    })
  }
  if (isProduction(url.hostname)) {
    throw new EmulatorError('production hosts are never written to, and nothing was sent', { where: url.origin })
  }
  if (!isLoopback(url.hostname) && !allowRemote) {
    throw new EmulatorError('this is another host, and nothing was sent', {
      where: url.origin,
      allowed: LOOPBACK_HOSTS,
      hint: 'Pass allowRemote: true to use an emulator there.'
    })
  }
  return url.origin
}

/**
 * Whether a host is this machine. Other names are not resolved.
 *
 * @param {string} host as a URL has it, with brackets around an IPv6 address
 */
function isLoopback(host) {
  const bare = host.replace(/^\[|\]$/g, '')
  const version = isIP(bare)
  return version ? loopback.check(bare, version === 6 ? 'ipv6' : 'ipv4') : bare.replace(/\.$/, '') === 'localhost'
}

/** @param {string} host */
function isProduction(host) {
  const name = host.replace(/\.$/, '')
  const within = (/** @type {string} */ domain) => name === domain || name.endsWith(`.${domain}`)
  return !within(SANDBOX) && PRODUCTION.some(within)
}

module.exports = { address }
