// A host application: signs a person in where that is needed, and prints the claims of the access token and the error of a
// host that nobody bound. Answers to questions come from standard input, one a line.
//
//   node main.mjs PROGRAM SHA256 PROFILE [plain]
import { createInterface } from 'node:readline'

import { call, login, open } from './plugin.mjs'

const [program, sha256, profile, plain] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { client, close, pid } = await open(program, sha256, { autoMTLS: plain !== 'plain' })
try {
  const selection = { profile }
  try {
    await call(client, 'GetTokens', { selection })
  } catch (error) {
    console.log(`before: ${error.ours?.code}: ${error.ours?.message}; ${error.ours?.hint}`)
  }
  const done = await login(client, { selection, if_needed: true }, async (question) => {
    console.error(`${question.note} ${question.label}:`)
    return (await lines.next()).value
  })
  console.log(`signed in: ${done.user}, kept ${done.kept}`)
  const { access_token: token } = await call(client, 'GetTokens', { selection })
  const claims = JSON.parse(Buffer.from(token.value.split('.')[1], 'base64url'))
  console.log(`access token of ${claims.username}, ${claims.token_use}`)
  await call(client, 'GetCredentialForHost', { url: 'https://evil.example.com/' }).catch((error) => console.log(`unbound: ${error.ours?.code}`))
} finally {
  await close()
}
console.log(`plugin ${pid} has ended`)
process.exit(0)
