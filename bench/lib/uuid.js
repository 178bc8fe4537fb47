import { randomBytes } from 'node:crypto'

/** An id as the package makes it (RFC 9562, version 7). */
export function uuidv7() {
  const time = Date.now().toString(16).padStart(12, '0')
  const random = randomBytes(10).toString('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`
}
