// A self-signed certificate for one run, on P-256, in plain DER (RFC 5280): Node makes keys, but no certificates.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const der = (tag, ...parts) => {
  const body = Buffer.concat(parts)
  const n = body.length
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...parts) => der(0x30, ...parts)
const oid = (...bytes) => der(0x06, Buffer.from(bytes))
const time = (date) => der(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'))

const ecdsaWithSHA256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const name = sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from('localhost')))))
const critical = der(0x01, Buffer.from([0xff]))
const basicConstraints = sequence(oid(0x55, 0x1d, 0x13), critical, der(0x04, sequence(critical))) // a CA: it signs itself
const subjectAltName = sequence(oid(0x55, 0x1d, 0x11), der(0x04, sequence(der(0x82, Buffer.from('localhost')))))

export const pem = (der) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`

// certificate gives { key, cert }, both as PEM.
export function certificate() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serial = randomBytes(16)
  serial[0] = (serial[0] & 0x3f) | 0x40 // positive, and without a leading zero
  const now = Date.now()
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial), ecdsaWithSHA256, name,
    sequence(time(new Date(now - 60_000)), time(new Date(now + 365 * 86_400_000))), name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints, subjectAltName)),
  )
  const signature = der(0x03, Buffer.from([0]), sign('sha256', tbs, privateKey))
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: pem(sequence(tbs, ecdsaWithSHA256, signature)) }
}
