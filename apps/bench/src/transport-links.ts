// The links that a burst can go by. Those of CURVE have the keys that libzmq's manual gives as an example.

import { libzmq, PeerSecurity, ServerSecurity, type Transport, zmtp } from "@pigato/transport";

interface Way {
  readonly transport: Transport;
  readonly server?: ServerSecurity;
  readonly peer?: PeerSecurity;
}

const SERVER = {
  publicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  secretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
};
const PEER = {
  publicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  secretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
};

/** By name, in the order in which they are shown; the first is what the others are compared to. */
export const WAYS: ReadonlyMap<string, Way> = new Map([
  ["libzmq", { transport: libzmq }],
  [
    "curve",
    {
      transport: libzmq,
      server: new ServerSecurity(SERVER, undefined),
      peer: new PeerSecurity({ curve: { serverKey: SERVER.publicKey, ...PEER } }),
    },
  ],
  ["zmtp", { transport: zmtp }],
]);

/** @throws Error for a name that is none */
export function wayCalled(name: string | undefined): Way {
  const way = WAYS.get(name ?? "");
  if (way === undefined) throw new Error(`there is no link called ${name}`);
  return way;
}
