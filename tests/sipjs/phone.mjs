// A phone of SIP.js over WSS, without media: node phone.mjs call|wait URL CA [OPTION...]
//   call: calls sip:bob@example.com, sends INFO and MESSAGE, holds and resumes, hangs up
//   wait: registers, answers one call, and stays until it is over; unregisters
//   --wait-bye: the other side hangs up; --hangup: we do when it has held and resumed; --reinvite: we hold too, when called
// Each step is a line of the output. The status is 0 when all went as it should.
import { readFileSync } from "node:fs";
import { Inviter, Registerer, RegistererState, SessionState, UserAgent } from "sip.js";
import WebSocket from "ws";

const [mode, url, ca, ...options] = process.argv.slice(2);
const has = (option) => options.includes(option);
const trusted = readFileSync(ca);

// As a browser does it: the page says where it comes from, and whom we trust.
globalThis.WebSocket = class extends WebSocket {
  constructor(address, protocols) {
    super(address, protocols, { ca: trusted, origin: "https://phone.example", headers: { Cookie: "session=1" } });
  }
};

function say(line) {
  console.log(line);
}

function fail(why) {
  console.log(`FAILED ${why}`);
  process.exit(1);
}

process.on("unhandledRejection", (error) => fail(String(error)));
process.on("uncaughtException", (error) => fail(String(error)));
setTimeout(() => fail("it takes too long"), 60_000).unref();

/** Descriptions without media. */
class Descriptions {
  constructor() {
    this.version = 0;
    this.heard = [];
  }
  close() {}
  hasDescription(type) {
    return type === "application/sdp";
  }
  async getDescription(given) {
    this.version += 1;
    const answered = { sendonly: "recvonly", inactive: "inactive" }[this.direction];
    const direction = given?.direction ?? answered ?? "sendrecv";
    const lines = ["v=0", `o=- 1 ${this.version} IN IP4 127.0.0.1`, "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 4000 RTP/AVP 0", `a=${direction}`];
    return { body: lines.join("\r\n") + "\r\n", contentType: "application/sdp" };
  }
  async setDescription(text) {
    this.direction = /^a=(sendonly|recvonly|inactive|sendrecv)/m.exec(text)?.[1] ?? "sendrecv";
    this.heard.push(this.direction);
  }
  sendDtmf() {
    return false;
  }
}

/** The answer to a request, or what else becomes of it. */
function answered(send, what) {
  return new Promise((resolve) => {
    const requestDelegate = {
      onAccept: (response) => resolve(say(`${what} ${response.message.statusCode}`)),
      onReject: (response) => fail(`${what} ${response.message.statusCode}`),
    };
    send({ requestDelegate }).catch((error) => fail(`${what}: ${error}`));
  });
}

function reached(emitter, wanted, what) {
  return new Promise((resolve) => {
    const look = (state) => state === wanted && resolve(say(what));
    emitter.stateChange.addListener(look);
    look(emitter.state);
  });
}

const body = (contentType, content) => ({ body: { contentDisposition: "render", contentType, content } });

async function change(session) {
  const hold = (direction) => answered((given) => session.invite({ ...given, sessionDescriptionHandlerOptions: { direction } }), `re-INVITE ${direction}`);
  await hold("sendonly");
  await hold("sendrecv");
}

async function use(session) {
  await answered((given) => session.info({ ...given, requestOptions: body("application/dtmf-relay", "Signal=5\r\nDuration=160") }), "INFO");
  await answered((given) => session.message({ ...given, requestOptions: body("text/plain", "Grüße") }), "MESSAGE");
  await change(session);
}

let taken;
const called = new Promise((resolve) => (taken = resolve));
const agent = new UserAgent({
  uri: UserAgent.makeURI("sip:alice@example.com"),
  transportOptions: { server: url, connectionTimeout: 10 },
  sessionDescriptionHandlerFactory: () => new Descriptions(),
  logLevel: "error",
  delegate: { onInvite: taken },
});
await agent.start();
say("connected");

if (mode === "call") {
  const session = new Inviter(agent, UserAgent.makeURI("sip:bob@example.com"));
  const over = reached(session, SessionState.Terminated, "terminated");
  const stands = reached(session, SessionState.Established, "established");
  await answered((given) => session.invite(given), "INVITE");
  await stands;
  await use(session);
  if (!has("--wait-bye")) await answered((given) => session.bye(given), "BYE");
  await over;
} else {
  const registerer = new Registerer(agent, { expires: 300 });
  const registered = reached(registerer, RegistererState.Registered, "registered");
  await registerer.register({ requestDelegate: { onReject: (response) => fail(`REGISTER ${response.message.statusCode}`) } });
  await registered;
  const session = await called;
  const over = reached(session, SessionState.Terminated, "terminated");
  const stands = reached(session, SessionState.Established, "established");
  const held = new Promise((resolve) => {
    session.delegate = {
      onInfo: (info) => info.accept().then(() => say("INFO came")),
      onMessage: (message) => message.accept().then(() => say(`MESSAGE came: ${message.request.body}`)),
      onInvite: () => {
        const heard = session.sessionDescriptionHandler.heard;
        say(`re-INVITE came: ${heard.at(-1)}`);
        if (heard.at(-1) === "sendrecv") resolve();
      },
    };
  });
  await session.accept();
  await stands;
  if (has("--hangup")) {
    await held;
    // The ACK of the last one ends it.
    while (session.dialog.reinviteUserAgentServer) await new Promise((resolve) => setTimeout(resolve, 10));
    await change(session);
    await answered((given) => session.bye(given), "BYE");
  }
  await over;
  const gone = reached(registerer, RegistererState.Unregistered, "unregistered");
  await registerer.unregister();
  await gone;
}
await agent.stop();
say("stopped");
process.exit(0);
