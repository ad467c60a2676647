// The host's side of go-plugin, for Node: start, handshake, AutoMTLS, connection, errors, shutdown. docs/plugin.md has the words.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import loader from '@grpc/proto-loader'

import { certificate, pem } from './certificate.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const options = { keepCase: true, defaults: true, enums: String, includeDirs: [root, fileURLToPath(new URL('.', import.meta.url))] }
const proto = (file) => grpc.loadPackageDefinition(loader.loadSync(file, options))
const v1 = proto('plugin/proto/v1/cognito_credhelper.proto').cognito_credhelper.plugin.v1
const { Status } = proto('status.proto').google.rpc

const passed = /^(HOME|USER|LOGNAME|TZ|LANG|LC_.*|TMPDIR|XDG_.*|DBUS_SESSION_BUS_ADDRESS|AWS_PROFILE|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|COGNITO_CREDHELPER_.*)$/

// open starts the program as a plugin, once its SHA-256 is right, and gives { client, close }.
export async function open(program, sha256, { autoMTLS = true } = {}) {
  if (createHash('sha256').update(readFileSync(program)).digest('hex') !== sha256) throw new Error(`the checksum of ${program} is wrong`)
  const sockets = mkdtempSync(join(tmpdir(), 'host-node-')) // mode 0700
  const own = autoMTLS && certificate()
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name)))
  const child = spawn(program, ['plugin'], {
    stdio: ['ignore', 'pipe', 'pipe'], // standard error must be read, or the plugin may wait for us
    env: {
      ...env,
      COGNITO_CREDHELPER_PLUGIN: 'd0c1f1b0a6f34c2e9f7a6b8e5d43219c70e8b7a1c2f94d5ea3b60f9184c7de52',
      PLUGIN_PROTOCOL_VERSIONS: '1',
      PLUGIN_UNIX_SOCKET_DIR: sockets,
      ...(own && { PLUGIN_CLIENT_CERT: own.cert }),
    },
  })
  let said = ''
  child.stderr.on('data', (text) => { said = (said + text).slice(-4096) })
  const ended = new Promise((resolve) => child.on('exit', resolve))
  const line = await Promise.race([
    new Promise((resolve) => createInterface(child.stdout).once('line', resolve)),
    ended.then(() => { throw new Error(`the plugin did not start: ${said.trim()}`) }),
  ])
  const [core, version, network, address, protocol, serverCert] = line.split('|')
  if (core !== '1' || version !== '1' || network !== 'unix' || protocol !== 'grpc') throw new Error(`not a handshake: ${line}`)
  const credentials = own
    ? grpc.credentials.createSsl(Buffer.from(pem(Buffer.from(serverCert, 'base64'))), Buffer.from(own.key), Buffer.from(own.cert))
    : grpc.credentials.createInsecure()
  const channel = {
    'grpc.ssl_target_name_override': 'localhost', 'grpc.default_authority': 'localhost',
    'grpc.max_receive_message_length': 1 << 20, 'grpc.max_send_message_length': 1 << 20,
  }
  const client = new v1.CredentialHelper(`unix:${address}`, credentials, channel)
  const close = async () => {
    // Shutdown answers, or the connection ends first: both mean that it was heard.
    await new Promise((resolve) => client.makeUnaryRequest('/plugin.GRPCController/Shutdown', () => Buffer.alloc(0), () => ({}), {}, resolve))
    client.close()
    const late = setTimeout(() => child.kill('SIGKILL'), 2000)
    await ended
    clearTimeout(late)
    rmSync(sockets, { recursive: true, force: true })
  }
  return { client, close, pid: child.pid }
}

// call makes a unary call a promise, with a deadline.
export const call = (client, method, request, seconds = 90) => new Promise((resolve, reject) => {
  client[method](request, { deadline: Date.now() + seconds * 1000 }, (error, answer) => (error ? reject(described(error)) : resolve(answer)))
})

// described puts our own code and hint, from the details of a gRPC status, onto an error.
export function described(error) {
  const [status] = error.metadata?.get('grpc-status-details-bin') ?? []
  const details = status ? decode(Status, status).details : []
  for (const { type_url, value } of details) {
    if (type_url.endsWith('/cognito_credhelper.plugin.v1.Error')) Object.assign(error, { ours: decode(v1.Error, value) })
  }
  return error
}

const decode = (type, bytes) => type.deserialize(bytes)

// login signs in; answer is asked for each question, and gives the answer, or undefined to give up.
export const login = (client, start, answer) => new Promise((resolve, reject) => {
  const stream = client.Login()
  stream.on('error', (error) => reject(described(error)))
  stream.on('data', async ({ question, done }) => {
    if (done) {
      stream.end()
      return resolve(done)
    }
    const value = await answer(question)
    stream.write(value === undefined
      ? { cancel: { question: question.number, reason: { code: 'CODE_CANCELED' } } }
      : { answer: { question: question.number, value } })
  })
  stream.write({ start: { can_ask: true, ...start } })
})
