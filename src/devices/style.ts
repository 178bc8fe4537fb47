import { createHash } from 'node:crypto'

/**
 * The look of the page. An application themes it in a stylesheet of its own, by the variables that begin with
 * `--devices-`, and by `color-scheme` where it wants light or dark alone.
 */
export const style = `
:root{color-scheme:light dark;
--text:var(--devices-text,light-dark(#1b2130,#e8ebf2));
--soft:var(--devices-soft,light-dark(#566076,#a3adbf));
--page:var(--devices-page,light-dark(#f5f6f9,#11151c));
--card:var(--devices-card,light-dark(#fff,#191f29));
--line:var(--devices-line,light-dark(#dde1e9,#2c3543));
--accent:var(--devices-accent,light-dark(#1f55c4,#85adff));
--on-accent:var(--devices-on-accent,light-dark(#fff,#0c1626));
--radius:var(--devices-radius,.75rem)}
*{box-sizing:border-box}
body{margin:0;color:var(--text);background:var(--page);font:1rem/1.5 var(--devices-font,system-ui,sans-serif)}
main{max-width:44rem;margin:0 auto;padding:clamp(1.25rem,5vw,3rem) 1rem 3rem}
nav a{display:inline-block;padding:.5rem 0;color:var(--accent)}
h1{margin:.25rem 0;font-size:clamp(1.6rem,5vw,2.1rem);line-height:1.2;letter-spacing:-.01em}
.lead{margin:0 0 1.5rem;color:var(--soft)}
.said{margin:0 0 1.25rem;padding:.7rem 1rem;border-inline-start:.25rem solid var(--accent);background:var(--card);border-radius:var(--radius)}
ul{margin:0;padding:0;list-style:none;display:grid;gap:.75rem}
li{display:grid;grid-template-columns:auto minmax(0,1fr) auto;gap:.25rem 1rem;align-items:center;padding:1rem;border:1px solid var(--line);border-radius:var(--radius);background:var(--card)}
li.current{border-color:var(--accent)}
svg{width:2rem;height:2rem;fill:none;stroke:var(--soft);stroke-width:1.5;stroke-linecap:round;stroke-linejoin:round;align-self:start;margin-top:.1rem}
.current svg{stroke:var(--accent)}
h2{display:inline;margin:0 .5rem 0 0;font-size:1.05rem;overflow-wrap:anywhere}
.mark{display:inline-block;padding:.05rem .55rem;border:1px solid var(--accent);border-radius:1rem;color:var(--accent);font-size:.8rem;font-weight:600;vertical-align:.1em}
li p{margin:.2rem 0 0;color:var(--soft);font-size:.9rem;overflow-wrap:anywhere}
form{margin:0}
button{min-height:2.75rem;padding:.5rem 1rem;border:1px solid var(--line);border-radius:calc(var(--radius)*.7);color:var(--text);background:var(--page);font:inherit;cursor:pointer}
button:hover{border-color:var(--accent)}
button.main{border-color:var(--accent);color:var(--on-accent);background:var(--accent);font-weight:600}
button:focus-visible,a:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.all{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1.5rem}
@media (max-width:34rem){
li{grid-template-columns:auto minmax(0,1fr)}
li form{grid-column:1/-1;margin-top:.6rem}
li button,.all form,.all button{width:100%}
}
`

/** What the page's Content-Security-Policy names the style by. */
export const styleHash = createHash('sha256').update(style).digest('base64')
