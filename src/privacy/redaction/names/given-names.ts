/** Common given names of many origins, in Latin letters: what the tagger knows of names before it reads what stands around them. */

const lists = `
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica Thomas Sarah Charles Karen Christopher Lisa Daniel Nancy Matthew
Betty Anthony Margaret Mark Sandra Donald Ashley Steven Kimberly Paul Emily Andrew Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa George Deborah Timothy Stephanie
Ronald Rebecca Edward Sharon Jason Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy Gary Kathleen Nicholas Angela Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole
Scott Anna Brandon Samantha Benjamin Katherine Samuel Christine Gregory Helen Alexander Debra Patrick Rachel Frank Carolyn Raymond Janet Jack Maria Dennis Catherine Jerry Heather
Tyler Diane Aaron Olivia Jose Julie Adam Joyce Nathan Victoria Henry Ruth Zachary Virginia Douglas Lauren Peter Kelly Kyle Christina Noah Joan Ethan Evelyn Jeremy Judith Walter
Andrea Christian Hannah Keith Megan Roger Cheryl Terry Jacqueline Austin Martha Sean Madison Gerald Teresa Carl Gloria Harold Sara Dylan Janice Arthur Ann Lawrence Kathryn Jordan
Abigail Jesse Sophia Bryan Frances Billy Jean Bruce Alice Gabriel Judy Joe Isabella Logan Julia Alan Grace Juan Amber Albert Denise Willie Danielle Elijah Marilyn Wayne Beverly
Randy Charlotte Vincent Natalie Mason Theresa Roy Diana Ralph Brittany Bobby Doris Russell Kayla Bradley Alexis Philip Lori Eugene Marie Will Rose May June April Dawn Hope Faith Joy
Ivy Lily Daisy Violet Iris Hazel Olive Ruby Pearl Amber Crystal Summer Autumn Chase Grant Drew Rich Bill Bob Jim Tom Tim Dan Ben Sam Max Leo Luke Liam Oliver Harry Oscar Archie Alfie
Freddie Theo Isla Freya Poppy Millie Maisie Evie Sienna Florence Matilda Harriet Beatrice Imogen Nigel Graham Trevor Clive Alastair Hamish Callum Euan Fergus Angus Morag Eilidh Mhairi
Rhys Gareth Owen Dylan Bronwen Sian Carys Aoife Niamh Saoirse Ciara Roisin Sinead Siobhan Padraig Cormac Declan Eoin Fionn Cillian Brendan Liam
Hans Klaus Jürgen Uwe Günther Dieter Wolfgang Stefan Andreas Matthias Markus Sebastian Florian Lukas Felix Heike Ursula Monika Sabine Petra Birgit Claudia Katrin Anke Greta Lena Mia
Pierre Jean Jacques François Michel Philippe Alain Luc Mathieu Antoine Julien Camille Chloé Manon Léa Inès Sylvie Brigitte Isabelle Nathalie Céline Aurélie Élodie Margaux Amélie
Giovanni Marco Luca Matteo Francesco Alessandro Lorenzo Paolo Giulia Chiara Francesca Elena Valentina Sofia Martina Alessia Antonio Carlos Miguel Javier Pablo Diego Alejandro Sergio
Fernando Rafael Lucía Carmen Pilar Dolores Ana Isabel Cristina Marta Beatriz Rosa Luis Jorge Pedro Manuel Ricardo Eduardo Gonzalo João Tiago Rui Inês Catarina Joana Mariana Bruno
Thiago Larissa Camila Willem Pieter Jan Kees Sander Daan Femke Anouk Sanne Lieke Bart Joost Lars Erik Björn Sven Anders Magnus Gustav Astrid Ingrid Sigrid Karin Annika Linnea Freja
Søren Mette Kirsten Olav Håkon Solveig Mikko Juhani Aino Päivi Jukka Tuomas Piotr Krzysztof Andrzej Tomasz Paweł Michał Marcin Jakub Agnieszka Katarzyna Małgorzata Joanna Magdalena
Zofia Jiří Petr Tomáš Jana Lenka Milan Zoran Goran Dragan Ivana Jelena Milica Nikola Ivan Sergei Dmitri Vladimir Alexei Mikhail Nikolai Boris Yuri Igor Oleg Olga Natalia Svetlana
Tatiana Irina Ekaterina Anastasia Ludmila Oksana Taras Andriy Mykola László István Zoltán Gábor Katalin Ágnes Ion Andrei Mihai Ioana Elena Georgi Dimitar Nikos Giorgos Dimitris
Yannis Eleni Katerina Despina Mehmet Mustafa Ahmet Ali Emre Murat Ayşe Fatma Zeynep Elif Hülya Mohammed Muhammad Ahmed Omar Yusuf Ibrahim Khalid Hassan Hussein Tariq Faisal Karim
Samir Nabil Layla Fatima Aisha Maryam Zainab Khadija Noor Amina Salma Yasmin Rania Huda Abdullah Abdul Reza Amir Hamid Parisa Shirin Nasrin Farhad David Moshe Yosef Avi Noam Eitan
Miriam Shira Tamar Yael Raj Rahul Amit Sanjay Vijay Arjun Rohan Vikram Anil Sunil Suresh Ramesh Deepak Ravi Arun Karthik Priya Anjali Deepika Neha Pooja Kavita Sunita Lakshmi Meera
Divya Shreya Ananya Sita Harpreet Gurpreet Manpreet Jaspreet Imran Bilal Usman Sana Ayesha Rukhsana Chandra Nimal Kumari Tenzin Hiroshi Takashi Kenji Yuki Haruto Satoshi Akira Naoki
Sakura Yui Aiko Keiko Yoko Haruka Emi Naomi Minjun Jihoon Seojun Hyun Jiwoo Soyeon Minji Eunji Wei Ming Jun Hui Xiaoming Li Na Fang Jing Yan Lei Qiang Yong Jie Ping Mei Ling Hong Xia
Chen Bo Hao Yang Tao Nguyen Minh Anh Linh Huong Thanh Tuan Hung Dung Lan Mai Phuong Somchai Siriporn Budi Siti Dewi Agus Putri Nur Aziz Wahyu Jose Maria Juanito Rosario Chidi Emeka
Chinedu Ngozi Chioma Adaeze Ifeoma Oluwaseun Olumide Tunde Folake Yetunde Bola Kwame Kofi Kojo Kwesi Ama Akosua Abena Efua Juma Wanjiru Njeri Kamau Otieno Achieng Amani Zuri Imani
Thabo Sipho Nomsa Lerato Thandiwe Themba Tariro Tendai Abebe Tigist Selam Fatou Mamadou Aminata Ousmane Moussa Seydou DeShawn Jamal Tyrone Malik Darnell Latoya Keisha Tanisha Aaliyah
Ebony Marquis Jada Kiara Malia Keanu Leilani Kai Tane Aroha Mere Wiremu Alejandra Guadalupe Ximena Esperanza Consuelo Santiago Mateo Emiliano Ignacio Joaquín Mercedes Soledad Inti
Dave Mike Steve Chris Matt Nick Alex Andy Tony Greg Jeff Rob Ron Ken Ted Ed Fred Kate Katie Liz Beth Jen Jenny Sue Meg Maggie Peggy Sally Molly Polly Nell Becky Debbie Vicky Mandy
Sandy Wendy Cindy Mindy Trish Pat Kim Lynn Gail Fay Kay Dee Lee Ray Jay Roy Guy Art Gene Dale Glen Clay Cliff Heath Reed Wade Pierce Miles Victor Ernest Earnest Frank Jasper Colt
`;

/** Given names, as they are written. */
export const givenNames: readonly string[] = [...new Set(lists.trim().split(/\s+/))];
