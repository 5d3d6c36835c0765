/** Common surnames of many origins, in Latin letters. */

const lists = `
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris
Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez
Phillips Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox
Ward Richardson Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo Sanders Patel Myers Long Ross Foster Jimenez Powell Jenkins Perry Russell
Sullivan Bell Coleman Butler Henderson Barnes Gonzales Fisher Vasquez Simmons Romero Jordan Patterson Alexander Hamilton Graham Reynolds Griffin Wallace Moreno West Cole Hayes Bryant
Herrera Gibson Ellis Tran Medina Aguilar Stevens Murray Ford Castro Marshall Owens Harrison Fernandez McDonald Woods Washington Kennedy Wells Vargas Henry Chen Freeman Webb Tucker
Guzman Burns Crawford Olson Simpson Porter Hunter Gordon Mendez Silva Shaw Snyder Mason Dixon Munoz Hunt Hicks Holmes Palmer Wagner Black Robertson Boyd Rose Stone Salazar Fox Warren
Mills Meyer Rice Schmidt Garza Daniels Ferguson Nichols Stephens Soto Weaver Ryan Gardner Payne Grant Dunn Kelley Spencer Hawkins Arnold Pierce Vazquez Hansen Peters Santos Hart
Bradley Knight Elliott Cunningham Duncan Armstrong Hudson Carroll Lane Riley Andrews Alvarado Ray Delgado Berry Perkins Hoffman Johnston Matthews Pena Richards Contreras Willis
Carpenter Lawrence Sandoval Guerrero George Chapman Rios Estrada Ortega Watkins Greene Nunez Wheeler Valdez Harper Burke Larson Santiago Maldonado Morrison Franklin Carlson Austin
Dominguez Carr Lawson Jacobs OBrien Lynch Singh Vega Bishop Montgomery Oliver Jensen Harvey Williamson Gilbert Dean Sims Espinoza Howell Li Wong Reid Hanson Le McCoy Garrett Burton
Fuller Wang Weber Welch Rojas Lucas Marquez Fields Park Yang Little Banks Padilla Day Walsh Bowman Schultz Luna Fowler Mejia Davies Hussain Khan Begum Ali Ahmed Shah Akhtar Malik
O'Brien O'Connor O'Sullivan O'Neill McCarthy Gallagher Doherty Kennedy Lynch Byrne Quinn McLaughlin MacDonald Campbell MacLeod Fraser Sinclair Drummond Pritchard Llewellyn Griffiths
Hargreaves Whitaker Fairbanks Ashworth Thornton Blackwood Whitmore Pemberton Lockwood Hawthorne Müller Schneider Fischer Weber Becker Schulz Hoffmann Koch Bauer Richter Klein Wolf
Schröder Neumann Schwarz Zimmermann Braun Krüger Hartmann Lange Werner Krause Lehmann Huber Steiner Gruber Dubois Durand Leroy Moreau Laurent Lefebvre Bertrand Roux Fournier Girard
Bonnet Dupont Lambert Fontaine Rousseau Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Conti Costa Gallo Fernández González Rodríguez López Martínez Sánchez
Pérez Gómez Jiménez Díaz Moreno Muñoz Álvarez Navarro Domínguez Vázquez Serrano Silva Santos Ferreira Pereira Oliveira Souza Almeida Carvalho Ribeiro Cardoso Teixeira Jong Vries Berg
Bakker Janssen Visser Smit Meijer Mulder Dekker Johansson Andersson Karlsson Nilsson Eriksson Larsson Lindberg Lindqvist Bergström Hansen Olsen Larsen Nielsen Sørensen Korhonen
Virtanen Mäkinen Nieminen Nowak Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Novák Svoboda Dvořák Horváth Kovács Nagy Szabó Popescu Ionescu Petrov Ivanov
Smirnov Kuznetsov Volkov Sokolov Popov Petrova Ivanova Shevchenko Kovalenko Bondarenko Papadopoulos Georgiou Dimitriou Jovanović Petrović Yılmaz Kaya Demir Çelik Şahin Haddad Mansour
Khoury Nasser Rahman Hosseini Karimi Cohen Levi Mizrahi Friedman Goldberg Sharma Verma Gupta Kumar Mehta Reddy Iyer Nair Menon Rao Desai Joshi Kapoor Malhotra Chopra Banerjee
Mukherjee Chatterjee Das Bose Kaur Gill Dhillon Fernando Perera Tanaka Suzuki Sato Watanabe Yamamoto Nakamura Kobayashi Ito Kato Yoshida Yamada Sasaki Choi Jung Kang Cho Yoon Jang
Lim Zhang Liu Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Chan Cheung Leung Lau Tan Goh Ng Pham Hoang Phan Vu Dang Bui Santoso Wijaya Okafor Okonkwo Adeyemi Eze Nwosu
Balogun Abiola Mensah Owusu Boateng Asante Mwangi Kariuki Otieno Njoroge Dlamini Nkosi Ndlovu Mokoena Moyo Tadesse Bekele Diallo Traoré Diop Ndiaye Keita Camara Jefferson Booker
`;

/** Surnames, as they are written. */
export const surnames: readonly string[] = [...new Set(lists.trim().split(/\s+/))];
