import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const docs = (path) => fileURLToPath(new URL(`../docs/${path}`, import.meta.url))
const errors = readdirSync(docs('errors')).filter((name) => name !== 'index.md')

/** Only what is there: a page may come with a later change. */
export const items = (...pages) =>
  pages
    .filter(([, name]) => name.startsWith('/') || existsSync(docs(`${name}.md`)))
    .map(([text, name]) => ({ text, link: name.startsWith('/') ? name : `/${name}` }))

const guides = items(
  ['All guides', 'guides'],
  ['Single-page app, other origin', 'guides/spa'],
  ['Mobile and command line', 'guides/command-line'],
  ['Identity providers', 'identity-providers'],
  ['WebSockets and socket.io', 'websockets'],
  ['A chat with socket.io', 'guides/sockets'],
  ['Event streams', 'guides/event-streams'],
  ['NestJS', 'guides/nestjs'],
  ['Next.js', 'guides/nextjs'],
  ['GraphQL', 'guides/graphql'],
  ['Testing', 'testing'],
  ['Passkeys as a second factor', 'guides/passkeys'],
  ['Flash messages', 'guides/flash'],
  ['Roles and profile edit', 'guides/roles'],
  ['Remember me', 'guides/remember-me'],
  ['Hosts of many tenants', 'guides/tenants'],
  ['Serverless', 'guides/serverless'],
  ['Bundlers', 'guides/bundle'],
  ['Bun and Deno', 'guides/bun-deno'],
  ['Apps and command lines', 'bearer'],
  ['Devices page', 'devices'],
  ['TypeScript', 'typescript'],
  ['For coding agents', 'agents'],
  ['Recipes', 'recipes'],
)

/** All pages, by what they are about: beside each page, and on the first one. */
export const sidebar = [
  {
    text: 'Start',
    items: items(
      ['Start', 'start'],
      ['Concepts', 'concepts'],
      ['Questions', 'questions'],
      ['Glossary', 'glossary'],
    ),
  },
  { text: 'Guides', items: guides },
  {
    text: 'Moving in',
    items: items(
      ['From express-session', 'from-express-session'],
      ['From another system', 'moving-in'],
      ['From cookie-session', 'moving-from-cookie-session'],
      ['From iron-session', 'moving-from-iron-session'],
      ['From Lucia', 'moving-from-lucia'],
      ['From passport-local', 'moving-from-passport-local'],
    ),
  },
  {
    text: 'Sessions',
    items: items(
      ['How long a login lives', 'lifetimes'],
      ['Asking again who it is', 'step-up'],
      ['Limits', 'limits'],
      ['Acting as a user', 'acting'],
      ['Device binding', 'device-binding'],
      ['Responses', 'responses'],
    ),
  },
  {
    text: 'Stores',
    items: items(
      ['Which one', 'stores'],
      ['SQLite', 'stores-sqlite'],
      ['Redis', 'stores-redis'],
      ['PostgreSQL', 'stores-postgres'],
      ['MySQL and MariaDB', 'stores-mysql'],
      ['Of express-session', 'stores-express-session'],
      ['Near cache', 'near-cache'],
      ['Encryption', 'stores-encrypted'],
      ['Moving to another store', 'stores-moving'],
    ),
  },
  {
    text: 'Reference',
    items: [
      ...items(['Every name', 'reference'], ['Support table', 'support']),
      {
        text: 'Error codes',
        link: '/errors/',
        collapsed: true,
        items: errors.map((name) => ({ text: name.slice(0, -3), link: `/errors/${name.slice(0, -3)}` })),
      },
    ],
  },
  {
    text: 'Security',
    items: items(
      ['Promises', 'security'],
      ['Stolen cookies', 'stolen-cookies'],
      ['OWASP and NIST', 'security-standards'],
      ['Report a vulnerability', '/report'],
    ),
  },
  {
    text: 'Operate',
    items: items(
      ['Troubleshooting', 'troubleshooting'],
      ['Operating', 'operating'],
      ['Command line', 'command-line'],
      ['Audit', 'audit'],
      ['Performance', 'performance'],
      ['Changes', '/changelog'],
    ),
  },
]
