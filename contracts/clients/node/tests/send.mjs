// What a client under test does: it sends calls to Segment and requests to StackAdapt.

export async function identify({ segmentHost, writeKey }, userId, traits) {
  const authorization = `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`
  return post(`${segmentHost}/v1/identify`, authorization, { userId, traits })
}

export async function upsert({ graphqlUrl, token, advertiserId }, ...profiles) {
  const query = 'mutation ($input: UpsertProfilesInput!) { upsertProfiles(input: $input) { userErrors { message } } }'
  const input = { advertiserId, externalProvider: 'segment_io', profiles }
  return post(graphqlUrl, `Bearer ${token}`, { query, variables: { input } })
}

/** Has StackAdapt read the audiences in records. */
export async function mapAudiences({ graphqlUrl, token, advertiserId }) {
  const query = `mutation ($input: UpsertExternalAudienceMappingInput!) {
    upsertExternalAudienceMapping(input: $input) { userErrors { message } }
  }`
  const column = (incomingKey, destinationKey) =>
    ({ incomingKey, destinationKey, label: incomingKey, type: 'STRING', isPii: false })
  const mappingSchema = [column('audienceId', 'external_id'), column('audienceName', 'name')]
  const input = { advertiserId, mappableType: 'segment_io', mappingSchema }
  return post(graphqlUrl, `Bearer ${token}`, { query, variables: { input } })
}

async function post(url, authorization, body) {
  const headers = { authorization, 'content-type': 'application/json' }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}
