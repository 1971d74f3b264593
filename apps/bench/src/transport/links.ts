// The links that `pnpm bench transport` measures. The CURVE keys are the examples of libzmq's manual.

import { libzmq, PeerSecurity, ServerSecurity, type Transport, zmtp } from "@pigato/transport";

interface LinkSetup {
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

/** By name, in the order of the rows. The ratios compare with the first. */
export const LINKS: ReadonlyMap<string, LinkSetup> = new Map([
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

export function linkNamed(name: string | undefined): LinkSetup {
  const link = LINKS.get(name ?? "");
  if (link === undefined) throw new Error(`unknown link "${name}"`);
  return link;
}
