import { existsSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const docs = (path) => fileURLToPath(new URL(`../../docs/${path}`, import.meta.url))
const errors = readdirSync(docs('errors')).filter((name) => name !== 'index.md')

/** Only what is there: a page may come with a later change. */
const items = (...pages) =>
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
  ['Moving from express-session', 'from-express-session'],
  ['Devices page', 'devices'],
  ['TypeScript', 'typescript'],
  ['Recipes', 'recipes'],
)

/** The anchors of headings as GitHub makes them, so that one link works in both places. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')

/** @type {import('vitepress').UserConfig} */
export default {
  title: 'express-sid',
  description: 'Sessions for Express that know who is asking.',
  lang: 'en',
  srcDir: '.pages',
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: false,
  lastUpdated: false,
  metaChunk: true,
  // No picture in the tab: nothing to load.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    anchor: { slugify },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  // The folder of the host that it is served from.
  base: process.env.SITE_BASE ?? '/',
  themeConfig: {
    // Its name begins with the word that is seen: who speaks to a browser says it.
    search: {
      provider: 'local',
      options: { translations: { button: { buttonText: 'Search', buttonAriaLabel: 'Search' } } },
    },
    outline: [2, 3],
    nav: items(
      ['Start', 'start'],
      ['Guides', 'guides'],
      ['Concepts', 'concepts'],
      ['Reference', 'reference'],
      ['Security', 'security'],
      ['Troubleshooting', 'troubleshooting'],
    ),
    sidebar: [
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
        text: 'Sessions',
        items: items(
          ['How long a login lives', 'lifetimes'],
          ['Asking again who it is', 'step-up'],
          ['Limits', 'limits'],
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
    ],
  },
}
