// What the page does beyond links and forms: it follows the sessions. The server says on a stream that something grew;
// the page then asks for itself again and takes over what is new. What is shown decides what is asked for, so a stream
// that is cut and begun anew leaves no gap and brings nothing twice.
'use strict';

const SILENCE_MAX = 25000; // the server says something every 10 s
const WAIT_MIN = 500, WAIT_MAX = 8000;
const HIDDEN_EVERY = 60000; // a page nobody looks at gives its connection back and asks now and then

const main = document.getElementById('main');
const news = main && main.dataset.news;
const line = document.getElementById('line');

const sleep = (ms, signal) => new Promise(done => {
  const timer = setTimeout(done, ms);
  if (signal) signal.addEventListener('abort', () => { clearTimeout(timer); done(); });
});

function toLogin() {
  location.assign('/login?next=' + encodeURIComponent(location.pathname));
}

// --- taking over what is new -------------------------------------------------------------------------------------

function openDetails(root) {
  return [...root.querySelectorAll('details[open][id]')].map(details => details.id);
}

function replaceWhole(old, fresh) {
  const open = openDetails(old);
  old.replaceChildren(...fresh.childNodes);
  for (const id of open) { const details = document.getElementById(id); if (details) details.open = true; }
}

// Children are known by id and version: one that did not change stays, with what a person has typed in it.
function replaceKeyed(old, fresh) {
  const known = new Map([...old.children].map(child => [child.id, child]));
  const wanted = [...fresh.children].map(child => {
    const same = known.get(child.id);
    return same && same.dataset.version === child.dataset.version ? same : child;
  });
  for (const child of [...old.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, index) => {
    if (old.children[index] === child) return;
    old.insertBefore(child, old.children[index] || null);
    if (window.htmx) window.htmx.process(child);
  });
}

function append(old, fresh) {
  for (const child of [...fresh.children]) if (!document.getElementById(child.id)) old.append(child);
}

function takeOver(text) {
  const fresh = new DOMParser().parseFromString(text, 'text/html');
  const focused = document.activeElement;
  for (const old of document.querySelectorAll('[data-live]')) {
    const part = fresh.getElementById(old.id);
    if (!part) { if (old.dataset.live !== 'append') old.replaceChildren(); continue; }
    ({ whole: replaceWhole, keyed: replaceKeyed, append })[old.dataset.live](old, part);
  }
  document.title = fresh.title;
  // What had the focus may be gone with what it asked.
  if (focused && focused !== document.body && !focused.isConnected) main.focus();
  tick();
  return !fresh.getElementById('main').dataset.news;
}

function address() {
  const url = new URL(location.href);
  const last = document.querySelector('#timeline > :last-child');
  if (document.getElementById('timeline')) url.search = '?after=' + (last ? last.dataset.seq : 0);
  url.hash = '';
  return url;
}

let asking = false, again = false;
async function refresh() {
  if (!news) return;
  if (asking) { again = true; return; }
  asking = true;
  try {
    do {
      again = false;
      const answer = await fetch(address(), { headers: { Accept: 'text/html' } });
      if (answer.redirected && new URL(answer.url).pathname === '/login') { toLogin(); return; }
      if (!answer.ok) throw new Error('HTTP ' + answer.status);
      // A page of events at a time: there may be more.
      if (takeOver(await answer.text())) again = true;
      await sleep(150);
    } while (again);
  } finally {
    asking = false;
  }
}

// --- the stream --------------------------------------------------------------------------------------------------

function lost(since) {
  if (!line.firstChild) {
    const text = document.createElement('span');
    const at = since.toLocaleTimeString([], { hour12: false });
    text.textContent = '⚠ Connection lost at ' + at + '. What you see may be old. Trying again …';
    const now = document.createElement('button');
    now.textContent = 'Try now';
    now.addEventListener('click', () => nap && nap.abort());
    line.append(text, now);
  }
  document.body.classList.add('lost');
}

function healed() {
  line.replaceChildren();
  document.body.classList.remove('lost');
}

function concerns(data) {
  try {
    const hint = JSON.parse(data);
    return news === 'all' || hint.session === news;
  } catch { return true; }
}

// Reads the stream until it ends, fails or falls silent.
async function listen(stop) {
  const answer = await fetch('/v1/stream', { headers: { Accept: 'text/event-stream' }, signal: stop.signal });
  if (answer.status === 401) { toLogin(); return; }
  if (!answer.ok) throw new Error('HTTP ' + answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let watchdog, text = '';
  const alive = () => { clearTimeout(watchdog); watchdog = setTimeout(() => stop.abort(), SILENCE_MAX); };
  alive();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      const events = (text + value).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const data = event.match(/^data: ?(.*)$/m);
        if (!data) continue;
        // The snapshot a stream begins with: look at everything once.
        if (/^event: ?snapshot$/m.test(event)) { await refresh(); healed(); } else if (concerns(data[1])) refresh().catch(() => stop.abort());
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}

let nap = null, stream = null;
async function follow() {
  let wait = WAIT_MIN;
  for (;;) {
    const began = Date.now();
    stream = new AbortController();
    try { await listen(stream); } catch { /* tried again below */ }
    if (document.hidden) { await whileHidden(); wait = WAIT_MIN; continue; }
    lost(new Date());
    if (Date.now() - began > SILENCE_MAX) wait = WAIT_MIN;
    nap = new AbortController();
    await sleep(wait * (0.75 + Math.random() / 2), nap.signal);
    wait = Math.min(wait * 2, WAIT_MAX);
  }
}

async function whileHidden() {
  while (document.hidden) {
    nap = new AbortController();
    await sleep(HIDDEN_EVERY, nap.signal);
    await refresh().catch(() => {});
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) { if (stream) stream.abort(); } else if (nap) nap.abort();
});

// --- small things ------------------------------------------------------------------------------------------------

function spanText(ms) {
  const s = Math.floor(ms / 1000);
  if (s < 60) return s + ' s';
  if (s < 3600) return Math.floor(s / 60) + ' min';
  if (s < 172800) return Math.floor(s / 3600) + ' h';
  return Math.floor(s / 86400) + ' d';
}

function tick() {
  for (const time of document.querySelectorAll('time[data-age]')) {
    const since = Date.now() - Date.parse(time.dateTime);
    time.textContent = since < 5000 ? 'just now' : spanText(since) + ' ago';
  }
  for (const time of document.querySelectorAll('time[data-until]')) {
    const left = Date.parse(time.dateTime) - Date.now();
    time.textContent = left <= 0 ? 'now' : 'in ' + spanText(left);
  }
}

// A JSON field says at once what is wrong with it.
document.addEventListener('input', event => {
  const field = event.target;
  if (!(field instanceof HTMLTextAreaElement) || !('json' in field.dataset)) return;
  let wrong = '';
  try {
    const value = JSON.parse(field.value);
    if (value === null || typeof value !== 'object' || Array.isArray(value)) wrong = 'This must be a JSON object: { … }';
  } catch (error) { wrong = 'This is no JSON: ' + error.message; }
  field.setCustomValidity(wrong);
  field.setAttribute('aria-invalid', wrong ? 'true' : 'false');
});

document.addEventListener('news', () => refresh().catch(() => {}));

const everything = document.getElementById('everything');
if (everything) {
  everything.checked = localStorage.getItem('everything') === 'yes';
  const show = () => document.body.classList.toggle('everything', everything.checked);
  everything.addEventListener('change', () => { localStorage.setItem('everything', everything.checked ? 'yes' : 'no'); show(); });
  show();
}

// A link to an event that is not shown by itself shows it.
function reveal() {
  const row = location.hash.startsWith('#e') && document.getElementById(location.hash.slice(1));
  if (row && row.classList.contains('minor') && everything && !everything.checked) everything.click();
  if (row) row.scrollIntoView({ block: 'center' });
}
window.addEventListener('hashchange', reveal);

if (news) {
  tick();
  setInterval(tick, 5000);
  reveal();
  follow();
}

// Coming from another site the browser keeps the cookie back; from here it does not.
const login = document.getElementById('login');
if (login && !login.querySelector('.problem')) {
  fetch(login.dataset.next, { headers: { Accept: 'text/html' } }).then(answer => {
    if (answer.ok && !answer.redirected) location.replace(login.dataset.next);
  }).catch(() => {});
}
