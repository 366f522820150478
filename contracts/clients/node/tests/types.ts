// What the declarations allow and refuse; `tsc` checks it, nothing runs it.

import * as declared from 'stackadapt-emulator'
import { createEmulator, type Emulator, type EmulatorOptions, type Profile, type WhyAnswer } from 'stackadapt-emulator'

import * as implemented from '../lib/index.cjs'

export const asDeclared: Pick<typeof declared, 'createEmulator'> = implemented
export const error: Error & { where: string | null } = new implemented.EmulatorError('refused', { where: 'here' })

export const options: EmulatorOptions = { workspace: { advertisers: [] }, latency: '4h', command: ['uvx', 'it'] }
// @ts-expect-error a misspelled option
export const misspelled: EmulatorOptions = { latencies: '4h' }

export async function uses(): Promise<[Profile, WhyAnswer]> {
  await using emulator: Emulator = await createEmulator({ workspace: 'workspace.yaml' })
  const profile = await emulator.expectProfile('ada@example.com', { audiences: ['vip'], marketingStatus: 'OPTED_IN' })
  // @ts-expect-error not a status
  await emulator.expectProfile('ada@example.com', { marketingStatus: 'OPTED' })
  const rejection = await emulator.expectRejection({ userId: 'u1', reason: 'MISSING_EMAIL' }, { timeout: 500 })
  const answer = await emulator.why({ userId: rejection.requestId, property: 'city' })
  const now: Date = await emulator.clock.advance({ hours: 4 })
  const rule = await emulator.faults.add({ fault: 'status', status: 503, times: 1 })
  // @ts-expect-error a status has no message
  await emulator.faults.add({ fault: 'status', status: 503, milliseconds: 1 })
  await emulator.faults.remove(rule.id + now.getTime())

  const { deliveries } = await emulator.call('GET', '/_emulator/deliveries', { query: { outcome: 'failed' } })
  const outcome: 'sent' | 'failed' | string = deliveries[0]?.outcome ?? 'none'
  const { members } = await emulator.call('GET', '/_emulator/segments/{segmentId}', { path: { segmentId: outcome } })
  await emulator.call('POST', '/_emulator/dead-letters/replay', { body: {} })
  const nothing: undefined = await emulator.call('DELETE', '/_emulator/faults')
  // @ts-expect-error the path has no such method
  await emulator.call('DELETE', '/_emulator/profiles')
  // @ts-expect-error the name in the path is missing
  await emulator.call('GET', '/_emulator/segments/{segmentId}')
  // @ts-expect-error no filter has this name
  await emulator.call('GET', '/_emulator/deliveries', { query: { emial: members } })
  return [profile, nothing ?? answer]
}
