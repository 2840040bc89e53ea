// A press that speaks OPC UA through node-opcua: node opcua_server.js PORT FOLDER ACCEPT
// It signs and encrypts and takes the user edge with the password secret. ACCEPT "yes": every client's
// certificate is taken; "no": none that its administrator has not trusted. Prints one line of JSON when ready.
"use strict";
const opcua = require("node-opcua");

async function main(port, folder, accept) {
  const trusting = new opcua.OPCUACertificateManager({
    automaticallyAcceptUnknownCertificate: accept === "yes",
    rootFolder: folder,
  });
  await trusting.initialize();
  const server = new opcua.OPCUAServer({
    port: Number(port),
    host: "127.0.0.1",
    hostname: "press.invalid",
    serverCertificateManager: trusting,
    userCertificateManager: trusting,
    allowAnonymous: false,
    securityPolicies: [opcua.SecurityPolicy.Basic256Sha256],
    securityModes: [opcua.MessageSecurityMode.SignAndEncrypt],
    userManager: { isValidUser: (name, word) => name === "edge" && word === "secret" },
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const own = space.registerNamespace("urn:floorhand:peer");
  const press = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Press", nodeId: "s=Press" });
  const add = (browseName, dataType) =>
    own.addVariable({ componentOf: press, browseName, nodeId: `s=Press.${browseName}`, dataType });
  const count = add("Count", "Double");
  const oil = add("Oil", "Double");
  const probe = add("Probe", "Double");
  const speed = add("Speed", "Float"); // can be written
  speed.setValueFromSource({ dataType: opcua.DataType.Float, value: 0 });
  const real = (value) => ({ dataType: opcua.DataType.Double, value });
  oil.setValueFromSource(real(71.5), opcua.StatusCodes.UncertainSensorNotAccurate);
  probe.setValueFromSource(real(0), opcua.StatusCodes.BadNotConnected);
  let made = 0;
  setInterval(() => count.setValueFromSource(real(++made)), 100);
  await server.start();
  const certificate = server.getCertificate().toString("base64");
  console.log(JSON.stringify({ ready: true, certificate }));
}

main(...process.argv.slice(2));
