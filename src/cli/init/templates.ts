import type { Project } from './project.js'
import type { StoreTemplate } from './stores.js'

type Language = Pick<Project, 'isTypeScript' | 'isModule'>

/** Text that stands in TypeScript only. */
const typed = ({ isTypeScript }: Language, text: string) => (isTypeScript ? text : '')

function importsOf(language: Language, imports: readonly (readonly [string, string])[]): string {
  const asImport = language.isModule || language.isTypeScript
  return imports
    .map(([names, from]) =>
      asImport
        ? `import ${names} from '${from}'`
        : `const ${names.replaceAll(' as ', ': ')} = require('${from}')`,
    )
    .join('\n')
}

/** The file with the login, the pages and the users. */
export function authFile(language: Language, store: StoreTemplate): string {
  const t = (text: string) => typed(language, text)
  const fromSid = '{ createSessions, login, logout, requireUser, sessionMiddleware, sessionOf, userOf }'
  const imports = importsOf(language, [
    ['{ randomBytes, randomUUID, scrypt, timingSafeEqual }', 'node:crypto'],
    ['{ promisify }', 'node:util'],
    ['express', 'express'],
    [fromSid, 'express-sid'],
    ...store.imports,
  ])
  const exported = language.isModule || language.isTypeScript ? 'export ' : ''
  return `${imports}
${t(`
// What req.user is, everywhere in the app.
declare global {
  namespace Express {
    interface User {
      id: string
      name: string
    }
  }
}

interface Account extends Express.User {
  salt: Buffer
  hash: Buffer
}
`)}
${store.lines.join('\n')}

/** Ends sessions from outside of a request: sessions.revokeAll(userId). */
${exported}const sessions = createSessions({
  store,
  // What a session keeps of a user. Never the hash of the password.
  serializeUser: (user${t(': any')}) => ({ id: user.id, name: user.name }),
})

// The users, until the process ends. Put your database here.
const accounts = new Map${t('<string, Account>')}()
const nobody = { salt: randomBytes(16), hash: randomBytes(32) }

const hashOf = promisify(scrypt)${t(' as (password: string, salt: Buffer, length: number) => Promise<Buffer>')}

async function findUser(name${t(': string')}, password${t(': string')}) {
  // An unknown name takes as long as a wrong password: nobody learns who has an account.
  const { salt, hash } = accounts.get(name) ?? nobody
  const isRight = timingSafeEqual(await hashOf(password, salt, 32), hash)
  return isRight ? accounts.get(name) : undefined
}

const text = (value${t(': unknown')}) => (typeof value === 'string' ? value : '')
const escape = (value${t(': string')}) => value.replace(/[&<>"]/g, (character) => \`&#\${character.charCodeAt(0)};\`)

const page = (title${t(': string')}, body${t(': string')}) =>
  \`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>\${title}</title><h1>\${title}</h1>\${body}</html>\`

const form = (action${t(': string')}, button${t(': string')}) => \`
<form method="post" action="\${action}">
  <p><label>Name <input name="name" autocomplete="username" required maxlength="100"></label>
  <p><label>Password <input name="password" type="password" required minlength="8" maxlength="200"
    autocomplete="\${action === '/signup' ? 'new-password' : 'current-password'}"></label>
  <p><button>\${button}</button>
</form>\`

const loginPage = (note = '') => page('Log in', \`\${note}\${form('/login', 'Log in')}<p><a href="/signup">Sign up</a>\`)
const signupPage = (note = '') => page('Sign up', \`\${note}\${form('/signup', 'Sign up')}\`)

/** app.use(auth), above the routes. */
${exported}const auth = express.Router()
auth.use(sessionMiddleware(sessions))
auth.use(express.urlencoded({ extended: false }))

auth.get('/login', (req, res) => {
  res.send(loginPage())
})

auth.post(
  '/login',
  login((req) => findUser(text(req.body?.name), text(req.body?.password)), {
    redirect: '/account',
    failed: (req, res) => {
      res.send(loginPage('<p>That name and password do not go together.'))
    },
  }),
)

auth.get('/signup', (req, res) => {
  res.send(signupPage())
})

auth.post('/signup', async (req, res, next) => {
  try {
    const [name, password] = [text(req.body?.name), text(req.body?.password)]
    if (name === '' || password.length < 8) return void res.status(400).send(signupPage('<p>A password has 8 characters.'))
    if (accounts.has(name)) return void res.status(409).send(signupPage('<p>That name is taken.'))
    const salt = randomBytes(16)
    const account = { id: randomUUID(), name, salt, hash: await hashOf(password, salt, 32) }
    if (accounts.has(name)) return void res.status(409).send(signupPage('<p>That name is taken.'))
    accounts.set(name, account)
    await sessionOf(req).login(account)
    res.redirect(303, '/account')
  } catch (error) {
    next(error)
  }
})

auth.post('/logout', logout({ redirect: '/login' }))

auth.get('/account', requireUser({ loginPage: '/login' }), (req, res) => {
  const button = '<form method="post" action="/logout"><button>Log out</button></form>'
  res.send(page('Account', \`<p>Hello \${escape(userOf(req).name)}\${button}\`))
})
${exported === '' ? '\nmodule.exports = { auth, sessions }\n' : ''}`
}

/** The tests of that file. They need nothing but Node. */
export function testFile(language: Language, name: string): string {
  const t = (text: string) => typed(language, text)
  const own =
    language.isModule || language.isTypeScript ? `./${name}${language.isModule ? '.js' : ''}` : `./${name}`
  const imports = importsOf(language, [
    ['assert', 'node:assert/strict'],
    ['{ once }', 'node:events'],
    ['{ after, before, test }', 'node:test'],
    ['express', 'express'],
    ['{ auth, sessions }', own],
  ])
  return `${imports}

const app = express()
app.use(auth)
app.get('/', (req, res) => {
  res.send(req.user?.name ?? 'Stranger')
})
const server = app.listen(0)
let origin = ''

before(async () => {
  if (!server.listening) await once(server, 'listening')
  origin = \`http://localhost:\${(server.address()${t(' as { port: number }')}).port}\`
})
after(async () => {
  await sessions.close()
  server.closeAllConnections()
  server.close()
})

/** Sends a form as a browser with this cookie does. */
const post = (path${t(': string')}, fields${t(': Record<string, string>')} = {}, cookie = '') =>
  fetch(origin + path, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin, cookie },
    body: new URLSearchParams(fields),
  })
const get = (path${t(': string')}, cookie = '') =>
  fetch(origin + path, { redirect: 'manual', headers: { cookie, accept: 'text/html' } })
const cookieOf = (response${t(': Response')}) => response.headers.getSetCookie()[0]?.split(';')[0] ?? ''

const ann = { name: 'ann', password: 'correct horse' }

test('a stranger does not get the account page', async () => {
  // A browser that opens the page is sent to /login. A script, as this one, gets a 401.
  assert.equal((await get('/account')).status, 401)
})

test('who signs up is logged in', async () => {
  const cookie = cookieOf(await post('/signup', ann))
  assert.match(await (await get('/account', cookie)).text(), /Hello ann/)
  assert.equal(await (await get('/', cookie)).text(), 'ann')
})

test('a login works with the right password only, and a logout is final', async () => {
  assert.equal((await post('/login', { ...ann, password: 'wrong horse' })).status, 401)
  const cookie = cookieOf(await post('/login', ann))
  assert.equal((await get('/account', cookie)).status, 200)
  await post('/logout', {}, cookie)
  assert.equal((await get('/account', cookie)).status, 401)
})

test('a name can be taken once', async () => {
  assert.equal((await post('/signup', ann)).status, 409)
})
`
}
