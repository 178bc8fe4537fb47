// A small website with accounts: sign up, sign in, devices, activity, a new password, support. Users and sessions live in
// demo/accounts/accounts.sqlite.
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { Accounts } from './accounts.js'
import { Activity } from './activity.js'
import { accountsApp } from './app.js'
import { sessionsOf } from './sessions.js'

const port = Number(process.env.PORT ?? 8000)
const file = process.env.DEMO_DATABASE ?? fileURLToPath(new URL('accounts.sqlite', import.meta.url))
const database = new Database(file)
const accounts = new Accounts(database)
const activity = new Activity(database)
const sessions = sessionsOf(database, accounts, process.env.IDLE)
activity.listen(sessions)
await accounts.add('Sam', 'support@example.com', 'let me help you now', 'support')

const server = accountsApp(sessions, accounts, activity).listen(port, (error?: Error) => {
  if (error) {
    const fix =
      'code' in error && error.code === 'EADDRINUSE' ? ' Choose another: PORT=8001 npm run demo:accounts' : ''
    console.error(`The demo can't listen on port ${port}: ${error.message}.${fix}`)
    process.exit(1)
  }
  console.log(`express-sid, accounts: http://localhost:${(server.address() as AddressInfo).port}

  1. Sign up, and sign in with the same account in a second browser, or in a private window.
  2. Devices lists both. Sign one out from the other: its open page closes at once.
  3. Change the password: the other device is signed out, and Activity says so.
  4. Support: sign in as support@example.com, with the password "let me help you now".

  IDLE=30s npm run demo:accounts shows the warning before a session ends that is not used.
`)
})

async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
  await sessions.close()
  database.close()
  process.exit(0)
}
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())
